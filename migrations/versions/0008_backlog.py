"""backlog: numbers kept for lists of any size, fields of insights, triage, pairs found not to be the same, followers"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None

FILTERED = ['kind', 'product_id', 'merged_into_id', 'review_visit_id']
ORDERS = ('score', 'visits', 'votes', 'created_at')
FAMILY = 'SELECT part.id FROM insight part WHERE part.id = insight.id OR part.merged_into_id = insight.id'
NOTES = f"""FROM observation o JOIN visit v ON v.id = o.visit_id WHERE o.insight_id IN ({FAMILY})
    AND o.removed_at IS NULL AND o.standing = 'published'"""


def upgrade() -> None:
    with op.batch_alter_table('insight', schema=None) as batch_op:
        batch_op.add_column(sa.Column('programme_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('hurts', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('minutes_lost', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('workaround', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('tool', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('step', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('due', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('tags', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('triage', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('triage_reason', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('visits', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('agents', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('observations', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('severity_sum', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('severity_count', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('last_seen', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('votes', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('watched', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('score', sa.Integer(), nullable=False, server_default='-1'))
        batch_op.add_column(sa.Column('scored_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.drop_index(batch_op.f('ix_insight_kind'))
        batch_op.drop_index(batch_op.f('ix_insight_status'))
    with op.batch_alter_table('insight', schema=None) as batch_op:
        batch_op.alter_column('hurts', server_default=None)
        batch_op.alter_column('workaround', server_default=None)
        batch_op.alter_column('tool', server_default=None)
        batch_op.alter_column('step', server_default=None)
        batch_op.alter_column('tags', server_default=None)
        batch_op.alter_column('triage', server_default=None)
        batch_op.alter_column('triage_reason', server_default=None)
        batch_op.alter_column('visits', server_default=None)
        batch_op.alter_column('agents', server_default=None)
        batch_op.alter_column('observations', server_default=None)
        batch_op.alter_column('severity_sum', server_default=None)
        batch_op.alter_column('severity_count', server_default=None)
        batch_op.alter_column('votes', server_default=None)
        batch_op.alter_column('watched', server_default=None)
        batch_op.alter_column('score', server_default=None)
        batch_op.create_foreign_key(batch_op.f('fk_insight_programme_id_programme'), 'programme', ['programme_id'], ['id'])
        batch_op.create_index(batch_op.f('ix_insight_programme_id'), ['programme_id'], unique=False)
        for name in ORDERS:
            batch_op.create_index(f'ix_insight_by_{name}', ['status', name, 'id', *FILTERED], unique=False)
    with op.batch_alter_table('insight_term', schema=None) as batch_op:
        batch_op.create_index('ix_insight_term_by_weight', ['term', 'weight', 'insight_id'], unique=False)
    op.create_table('insight_apart',
    sa.Column('low_id', sa.Integer(), nullable=False),
    sa.Column('high_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['high_id'], ['insight.id'], name=op.f('fk_insight_apart_high_id_insight'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['low_id'], ['insight.id'], name=op.f('fk_insight_apart_low_id_insight'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_insight_apart_person_id_person'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('low_id', 'high_id', name=op.f('pk_insight_apart'))
    )
    with op.batch_alter_table('insight_apart', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_insight_apart_high_id'), ['high_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_insight_apart_person_id'), ['person_id'], unique=False)
    op.create_table('insight_follower',
    sa.Column('insight_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['insight_id'], ['insight.id'], name=op.f('fk_insight_follower_insight_id_insight'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_insight_follower_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('insight_id', 'person_id', name=op.f('pk_insight_follower'))
    )
    with op.batch_alter_table('insight_follower', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_insight_follower_person_id'), ['person_id'], unique=False)
    # Scores are counted by the first tick of the worker.
    op.execute(f"""UPDATE insight SET
        programme_id = (SELECT v.programme_id {NOTES} ORDER BY o.at, o.id LIMIT 1),
        visits = (SELECT count(DISTINCT o.visit_id) {NOTES}),
        agents = (SELECT count(DISTINCT v.agent_id) {NOTES}),
        observations = (SELECT count(*) {NOTES}),
        severity_sum = (SELECT coalesce(sum(o.severity), 0) {NOTES}),
        severity_count = (SELECT count(o.severity) {NOTES}),
        last_seen = (SELECT max(o.at) {NOTES}),
        votes = (SELECT count(DISTINCT w.person_id) FROM insight_vote w WHERE w.insight_id IN ({FAMILY}))
        WHERE merged_into_id IS NULL""")


def downgrade() -> None:
    op.drop_table('insight_follower')
    op.drop_table('insight_apart')
    with op.batch_alter_table('insight_term', schema=None) as batch_op:
        batch_op.drop_index('ix_insight_term_by_weight')
    with op.batch_alter_table('insight', schema=None) as batch_op:
        for name in ORDERS:
            batch_op.drop_index(f'ix_insight_by_{name}')
        batch_op.drop_constraint(batch_op.f('fk_insight_programme_id_programme'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_insight_programme_id'))
        for name in ('programme_id', 'hurts', 'minutes_lost', 'workaround', 'tool', 'step', 'due', 'tags', 'triage', 'triage_reason', 'visits', 'agents', 'observations', 'severity_sum', 'severity_count', 'last_seen', 'votes', 'watched', 'score', 'scored_at'):
            batch_op.drop_column(name)
        batch_op.create_index(batch_op.f('ix_insight_status'), ['status'], unique=False)
        batch_op.create_index(batch_op.f('ix_insight_kind'), ['kind'], unique=False)
