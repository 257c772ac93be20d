"""department heads: who hears which people of a department are overdue"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('department_head',
    sa.Column('department', sa.String(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_department_head_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('department', name=op.f('pk_department_head'))
    )
    with op.batch_alter_table('department_head', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_department_head_person_id'), ['person_id'], unique=False)


def downgrade() -> None:
    op.drop_table('department_head')
