"""backlog: comments, links, own statuses, weights, rank by hand, saved views, bulk edits"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None

FILTERED = ['kind', 'product_id', 'merged_into_id', 'review_visit_id']
FEW = ('merged_into_id', 'merged_via_id', 'review_visit_id')
PARTS = ('severity', 'reach', 'agents', 'hurts', 'minutes', 'fresh')


def upgrade() -> None:
    op.create_table('programme_status',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('programme_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('name_ru', sa.String(), nullable=False),
    sa.Column('category', sa.String(), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_programme_status_programme_id_programme'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_programme_status'))
    )
    with op.batch_alter_table('programme_status', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_programme_status_programme_id'), ['programme_id'], unique=False)
    op.create_table('programme_weights',
    sa.Column('programme_id', sa.Integer(), nullable=False),
    *(sa.Column(name, sa.Integer(), nullable=False) for name in PARTS),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_programme_weights_programme_id_programme'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('programme_id', name=op.f('pk_programme_weights'))
    )
    op.create_table('insight_comment',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('insight_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['insight_id'], ['insight.id'], name=op.f('fk_insight_comment_insight_id_insight'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_insight_comment_person_id_person'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_insight_comment'))
    )
    with op.batch_alter_table('insight_comment', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_insight_comment_insight_id'), ['insight_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_insight_comment_person_id'), ['person_id'], unique=False)
    op.create_table('insight_link',
    sa.Column('from_id', sa.Integer(), nullable=False),
    sa.Column('to_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['from_id'], ['insight.id'], name=op.f('fk_insight_link_from_id_insight'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['to_id'], ['insight.id'], name=op.f('fk_insight_link_to_id_insight'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_insight_link_person_id_person'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('from_id', 'to_id', 'kind', name=op.f('pk_insight_link'))
    )
    with op.batch_alter_table('insight_link', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_insight_link_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_insight_link_to_id'), ['to_id'], unique=False)
    op.create_table('saved_view',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('query', sa.String(), nullable=False),
    sa.Column('shared', sa.Boolean(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_saved_view_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_saved_view'))
    )
    with op.batch_alter_table('saved_view', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_saved_view_person_id'), ['person_id'], unique=False)
    op.create_table('bulk_edit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_bulk_edit_person_id_person'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bulk_edit'))
    )
    with op.batch_alter_table('bulk_edit', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_bulk_edit_person_id'), ['person_id'], unique=False)
    with op.batch_alter_table('insight_change', schema=None) as batch_op:
        batch_op.add_column(sa.Column('bulk_id', sa.Integer(), nullable=True))
        batch_op.create_foreign_key(batch_op.f('fk_insight_change_bulk_id_bulk_edit'), 'bulk_edit', ['bulk_id'], ['id'], ondelete='SET NULL')
        batch_op.create_index(batch_op.f('ix_insight_change_bulk_id'), ['bulk_id'], unique=False)
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_observation_tool'), ['tool'], unique=False)
    with op.batch_alter_table('insight', schema=None) as batch_op:
        batch_op.add_column(sa.Column('place', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('own_status_id', sa.Integer(), nullable=True))
    with op.batch_alter_table('insight', schema=None) as batch_op:
        batch_op.alter_column('place', server_default=None)
        batch_op.create_foreign_key(batch_op.f('fk_insight_own_status_id_programme_status'), 'programme_status', ['own_status_id'], ['id'], ondelete='SET NULL')
        batch_op.create_index(batch_op.f('ix_insight_own_status_id'), ['own_status_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_insight_tool'), ['tool'], unique=False)
        batch_op.create_index('ix_insight_by_place', ['status', 'place', 'id', *FILTERED], unique=False)
        batch_op.drop_index('ix_insight_waiting')
        for name in FEW:
            batch_op.drop_index(f'ix_insight_{name}')
    with op.batch_alter_table('insight_term', schema=None) as batch_op:
        batch_op.drop_index('ix_insight_term_insight_id')
        batch_op.create_index('ix_insight_term_insight_id', ['insight_id', 'term', 'weight'], unique=False)
    op.create_index('ix_insight_waiting', 'insight', ['triage', 'id'], unique=False, sqlite_where=sa.text('untouched IS 1'), postgresql_where=sa.text('untouched IS true'))
    for name in FEW:
        op.create_index(f'ix_insight_{name}', 'insight', [name], unique=False, sqlite_where=sa.text(f'{name} IS NOT NULL'), postgresql_where=sa.text(f'{name} IS NOT NULL'))


def downgrade() -> None:
    with op.batch_alter_table('insight_term', schema=None) as batch_op:
        batch_op.drop_index('ix_insight_term_insight_id')
        batch_op.create_index('ix_insight_term_insight_id', ['insight_id'], unique=False)
    op.drop_index('ix_insight_waiting', 'insight')
    for name in FEW:
        op.drop_index(f'ix_insight_{name}', 'insight')
    with op.batch_alter_table('insight', schema=None) as batch_op:
        batch_op.create_index('ix_insight_waiting', ['untouched', 'triage', 'id'], unique=False)
        for name in FEW:
            batch_op.create_index(f'ix_insight_{name}', [name], unique=False)
        batch_op.drop_index('ix_insight_by_place')
        batch_op.drop_index(batch_op.f('ix_insight_tool'))
        batch_op.drop_index(batch_op.f('ix_insight_own_status_id'))
        batch_op.drop_constraint(batch_op.f('fk_insight_own_status_id_programme_status'), type_='foreignkey')
        batch_op.drop_column('own_status_id')
        batch_op.drop_column('place')
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_observation_tool'))
    with op.batch_alter_table('insight_change', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_insight_change_bulk_id'))
        batch_op.drop_constraint(batch_op.f('fk_insight_change_bulk_id_bulk_edit'), type_='foreignkey')
        batch_op.drop_column('bulk_id')
    for name in ('bulk_edit', 'saved_view', 'insight_link', 'insight_comment', 'programme_weights', 'programme_status'):
        op.drop_table(name)
