"""trackers"""

import sqlalchemy as sa
from alembic import op


revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:

    op.create_table('tracker',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('base_url', sa.String(), nullable=False),
    sa.Column('project', sa.String(), nullable=False),
    sa.Column('item_type', sa.String(), nullable=False),
    sa.Column('credentials', sa.String(), nullable=False),
    sa.Column('hook_secret', sa.String(), nullable=False),
    sa.Column('mapping', sa.JSON(), nullable=False),
    sa.Column('fields', sa.JSON(), nullable=False),
    sa.Column('checked', sa.JSON(), nullable=False),
    sa.Column('checked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('trouble', sa.String(), nullable=False),
    sa.Column('wait_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('wait_why', sa.String(), nullable=False),
    sa.Column('failures', sa.Integer(), nullable=False),
    sa.Column('seen_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('polled_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('rule_score', sa.Integer(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['created_by_id'], ['person.id'], name=op.f('fk_tracker_created_by_id_person')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tracker'))
    )
    with op.batch_alter_table('tracker', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tracker_created_by_id'), ['created_by_id'], unique=False)

    op.create_table('export',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('tracker_id', sa.Integer(), nullable=False),
    sa.Column('made_by_id', sa.Integer(), nullable=False),
    sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('dry', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['made_by_id'], ['person.id'], name=op.f('fk_export_made_by_id_person')),
    sa.ForeignKeyConstraint(['tracker_id'], ['tracker.id'], name=op.f('fk_export_tracker_id_tracker'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_export'))
    )
    with op.batch_alter_table('export', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_export_made_by_id'), ['made_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_export_tracker_id'), ['tracker_id'], unique=False)

    op.create_table('ticket',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('tracker_id', sa.Integer(), nullable=False),
    sa.Column('insight_id', sa.Integer(), nullable=False),
    sa.Column('marker', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('ref', sa.String(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('url', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('category', sa.String(), nullable=False),
    sa.Column('assignee', sa.String(), nullable=False),
    sa.Column('linked', sa.Boolean(), nullable=False),
    sa.Column('sent', sa.JSON(), nullable=False),
    sa.Column('edited', sa.JSON(), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('looks', sa.Integer(), nullable=False),
    sa.Column('tried_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['insight_id'], ['insight.id'], name=op.f('fk_ticket_insight_id_insight'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['tracker_id'], ['tracker.id'], name=op.f('fk_ticket_tracker_id_tracker'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket')),
    sa.UniqueConstraint('tracker_id', 'insight_id', name=op.f('uq_ticket_tracker_id_insight_id'))
    )
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ticket_insight_id'), ['insight_id'], unique=False)
        batch_op.create_index('ix_ticket_ref', ['tracker_id', 'ref'], unique=False)

    op.create_table('export_item',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('export_id', sa.Integer(), nullable=False),
    sa.Column('insight_id', sa.Integer(), nullable=False),
    sa.Column('claim_id', sa.Integer(), nullable=True),
    sa.Column('action', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.Column('payload', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['claim_id'], ['ticket.id'], name=op.f('fk_export_item_claim_id_ticket'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['export_id'], ['export.id'], name=op.f('fk_export_item_export_id_export'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['insight_id'], ['insight.id'], name=op.f('fk_export_item_insight_id_insight'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_export_item')),
    sa.UniqueConstraint('export_id', 'insight_id', name=op.f('uq_export_item_export_id_insight_id'))
    )
    with op.batch_alter_table('export_item', schema=None) as batch_op:
        batch_op.create_index('ix_export_item_claim', ['claim_id', 'state'], unique=False)
        batch_op.create_index(batch_op.f('ix_export_item_insight_id'), ['insight_id'], unique=False)
        batch_op.create_index('ix_export_item_state', ['state'], unique=False)




def downgrade() -> None:

    with op.batch_alter_table('export_item', schema=None) as batch_op:
        batch_op.drop_index('ix_export_item_state')
        batch_op.drop_index(batch_op.f('ix_export_item_insight_id'))
        batch_op.drop_index('ix_export_item_claim')

    op.drop_table('export_item')
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.drop_index('ix_ticket_ref')
        batch_op.drop_index(batch_op.f('ix_ticket_insight_id'))

    op.drop_table('ticket')
    with op.batch_alter_table('export', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_export_tracker_id'))
        batch_op.drop_index(batch_op.f('ix_export_made_by_id'))

    op.drop_table('export')
    with op.batch_alter_table('tracker', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tracker_created_by_id'))

    op.drop_table('tracker')

