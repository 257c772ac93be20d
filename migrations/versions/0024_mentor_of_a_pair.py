"""who was found to guide a pair of a round"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('round_pair', schema=None) as batch_op:
        batch_op.add_column(sa.Column('mentor_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_round_pair_mentor_id'), ['mentor_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_round_pair_mentor_id_person'), 'person', ['mentor_id'], ['id'], ondelete='SET NULL')


def downgrade() -> None:
    with op.batch_alter_table('round_pair', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_round_pair_mentor_id_person'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_round_pair_mentor_id'))
        batch_op.drop_column('mentor_id')
