"""the mentor of a hands-on visit: who guides it, and the breaks they have around it"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.add_column(sa.Column('mentor_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('mentor_before', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('mentor_after', sa.Integer(), nullable=False, server_default='0'))
        batch_op.create_index(batch_op.f('ix_visit_mentor_id'), ['mentor_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_visit_mentor_id_person'), 'person', ['mentor_id'], ['id'])
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.alter_column('mentor_before', server_default=None)
        batch_op.alter_column('mentor_after', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_visit_mentor_id_person'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_visit_mentor_id'))
        batch_op.drop_column('mentor_after')
        batch_op.drop_column('mentor_before')
        batch_op.drop_column('mentor_id')
