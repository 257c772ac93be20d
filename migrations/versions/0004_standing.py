"""standing: what an agent has not reviewed yet is not in the backlog of others"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('standing', sa.String(), nullable=False, server_default='published'))
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.alter_column('standing', server_default=None)
    with op.batch_alter_table('insight', schema=None) as batch_op:
        batch_op.add_column(sa.Column('review_visit_id', sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f('ix_insight_review_visit_id'), ['review_visit_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_insight_review_visit_id_visit'), 'visit', ['review_visit_id'], ['id'])


def downgrade() -> None:
    with op.batch_alter_table('insight', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_insight_review_visit_id_visit'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_insight_review_visit_id'))
        batch_op.drop_column('review_visit_id')
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.drop_column('standing')
