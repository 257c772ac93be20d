"""review: guides, consent, the agent's look at notes, wrap-up, feedback, pictures, retention, erasure"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None

TEXTS = ('rules', 'rules_ru', 'checklist', 'checklist_ru', 'consent', 'consent_ru')
# What ran before drops nothing until an admin says so.
NUMBERS = (('review_hours', '48'), ('keep_months', '0'), ('smallest_group', '5'))


def upgrade() -> None:
    with op.batch_alter_table('programme', schema=None) as batch_op:
        for name in TEXTS:
            batch_op.add_column(sa.Column(name, sa.String(), nullable=False, server_default=''))
        for name, default in NUMBERS:
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default=default))
    with op.batch_alter_table('programme', schema=None) as batch_op:
        for name in (*TEXTS, *(name for name, _default in NUMBERS)):
            batch_op.alter_column(name, server_default=None)

    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.add_column(sa.Column('erased_at', sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('review_until', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('verdict', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('reviewed_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('impact', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('persistence', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('dropped_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f('ix_observation_review_until'), ['review_until'], unique=False)
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.alter_column('verdict', server_default=None)
        batch_op.alter_column('persistence', server_default=None)

    op.create_table('consent',
    sa.Column('programme_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_consent_person_id_person'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_consent_programme_id_programme'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('programme_id', 'person_id', name=op.f('pk_consent'))
    )
    op.create_index(op.f('ix_consent_person_id'), 'consent', ['person_id'], unique=False)

    op.create_table('visit_review',
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_visit_review_visit_id_visit'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('visit_id', name=op.f('pk_visit_review'))
    )
    op.create_table('visit_wrap',
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('works_well', sa.String(), nullable=False),
    sa.Column('promise', sa.String(), nullable=False),
    sa.Column('promised_for', sa.Date(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_visit_wrap_person_id_person')),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_visit_wrap_visit_id_visit'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('visit_id', 'person_id', name=op.f('pk_visit_wrap'))
    )
    op.create_index(op.f('ix_visit_wrap_person_id'), 'visit_wrap', ['person_id'], unique=False)
    op.create_table('wrap_pick',
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('rank', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('observation_id', sa.Integer(), nullable=False),
    sa.Column('idea', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['observation_id'], ['observation.id'], name=op.f('fk_wrap_pick_observation_id_observation'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_wrap_pick_person_id_person')),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_wrap_pick_visit_id_visit'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('visit_id', 'person_id', 'rank', name=op.f('pk_wrap_pick'))
    )
    op.create_index(op.f('ix_wrap_pick_observation_id'), 'wrap_pick', ['observation_id'], unique=False)
    op.create_index(op.f('ix_wrap_pick_person_id'), 'wrap_pick', ['person_id'], unique=False)
    op.create_table('visit_feedback',
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('worth', sa.String(), nullable=False),
    sa.Column('words', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_visit_feedback_person_id_person')),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_visit_feedback_visit_id_visit'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('visit_id', 'person_id', name=op.f('pk_visit_feedback'))
    )
    op.create_index(op.f('ix_visit_feedback_person_id'), 'visit_feedback', ['person_id'], unique=False)
    op.create_table('picture',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('observation_id', sa.Integer(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=False),
    sa.Column('file', sa.String(), nullable=False),
    sa.Column('media', sa.String(), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['person.id'], name=op.f('fk_picture_author_id_person')),
    sa.ForeignKeyConstraint(['observation_id'], ['observation.id'], name=op.f('fk_picture_observation_id_observation'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_picture')),
    sa.UniqueConstraint('file', name=op.f('uq_picture_file'))
    )
    op.create_index(op.f('ix_picture_author_id'), 'picture', ['author_id'], unique=False)
    op.create_index(op.f('ix_picture_observation_id'), 'picture', ['observation_id'], unique=False)


def downgrade() -> None:
    for table in ('picture', 'visit_feedback', 'wrap_pick', 'visit_wrap', 'visit_review', 'consent'):
        op.drop_table(table)
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_observation_review_until'))
        for name in ('dropped_at', 'persistence', 'impact', 'reviewed_at', 'verdict', 'review_until'):
            batch_op.drop_column(name)
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_column('erased_at')
    with op.batch_alter_table('programme', schema=None) as batch_op:
        for name in (*(name for name, _default in NUMBERS), *TEXTS):
            batch_op.drop_column(name)
