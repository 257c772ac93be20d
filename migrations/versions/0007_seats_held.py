"""seats held: a seat of a visit that goes on is held like an hour; hours an agent said no to"""

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.add_column(sa.Column('joins_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_visit_joins_id'), ['joins_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_visit_joins_id_visit'), 'visit', ['joins_id'], ['id'], ondelete='CASCADE')
    with op.batch_alter_table('availability', schema=None) as batch_op:
        batch_op.add_column(sa.Column('declined', sa.JSON(), nullable=False, server_default='[]'))
    with op.batch_alter_table('availability', schema=None) as batch_op:
        batch_op.alter_column('declined', server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('availability', schema=None) as batch_op:
        batch_op.drop_column('declined')
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_visit_joins_id_visit'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_visit_joins_id'))
        batch_op.drop_column('joins_id')
