"""files of insights beside pictures of notes; asks found by their time"""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('picture', schema=None) as batch_op:
        batch_op.alter_column('observation_id', existing_type=sa.Integer(), nullable=True)
        batch_op.add_column(sa.Column('insight_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('name', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f('ix_picture_insight_id'), ['insight_id'], unique=False)
        batch_op.create_foreign_key(
            batch_op.f('fk_picture_insight_id_insight'), 'insight', ['insight_id'], ['id'], ondelete='CASCADE'
        )
        batch_op.create_check_constraint(
            batch_op.f('ck_picture_of_one'), '(observation_id IS NULL) <> (insight_id IS NULL)'
        )
    with op.batch_alter_table('picture', schema=None) as batch_op:
        batch_op.alter_column('name', server_default=None)
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.create_index(
            'ix_observation_ask',
            ['at', 'id'],
            unique=False,
            sqlite_where=sa.text('is_ask IS 1'),
            postgresql_where=sa.text('is_ask IS true'),
        )
    with op.batch_alter_table('insight_comment', schema=None) as batch_op:
        batch_op.create_index(
            'ix_insight_comment_ask',
            ['at', 'id'],
            unique=False,
            sqlite_where=sa.text("kind = 'ask'"),
            postgresql_where=sa.text("kind = 'ask'"),
        )


def downgrade() -> None:
    with op.batch_alter_table('insight_comment', schema=None) as batch_op:
        batch_op.drop_index('ix_insight_comment_ask')
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.drop_index('ix_observation_ask')
    of_insights = '(SELECT id FROM picture WHERE insight_id IS NOT NULL)'
    op.execute(f'DELETE FROM ticket_picture WHERE picture_id IN {of_insights}')
    op.execute('DELETE FROM picture WHERE insight_id IS NOT NULL')
    with op.batch_alter_table('picture', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('ck_picture_of_one'), type_='check')
        batch_op.drop_constraint(batch_op.f('fk_picture_insight_id_insight'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_picture_insight_id'))
        batch_op.drop_column('removed_at')
        batch_op.drop_column('name')
        batch_op.drop_column('insight_id')
        batch_op.alter_column('observation_id', existing_type=sa.Integer(), nullable=False)
