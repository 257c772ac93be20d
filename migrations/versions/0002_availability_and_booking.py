"""availability and booking: time off, holidays, quiet hours, busy calendars, approval, waitlist"""

import sqlalchemy as sa
from alembic import op

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('quiet_hours',
    sa.Column('line_id', sa.Integer(), nullable=False),
    sa.Column('timezone', sa.String(), nullable=False),
    sa.Column('weekly', sa.JSON(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['line_id'], ['line.id'], name=op.f('fk_quiet_hours_line_id_line'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('line_id', name=op.f('pk_quiet_hours'))
    )
    op.create_table('busy_source',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('url', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('tried_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('fetched_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('known_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('etag', sa.String(), nullable=False),
    sa.Column('last_modified', sa.String(), nullable=False),
    sa.Column('events', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.Column('spans', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_busy_source_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_busy_source'))
    )
    with op.batch_alter_table('busy_source', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_busy_source_person_id'), ['person_id'], unique=False)

    with op.batch_alter_table('availability', schema=None) as batch_op:
        batch_op.add_column(sa.Column('time_off', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('holidays', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('zone_changes', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('rest_between', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('paused_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('pauses', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('created_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('stamp', sa.BigInteger(), nullable=False, server_default='0'))

    with op.batch_alter_table('programme', schema=None) as batch_op:
        batch_op.add_column(sa.Column('approval_hours', sa.Integer(), nullable=False, server_default='48'))
        batch_op.add_column(sa.Column('offer_hours', sa.Integer(), nullable=False, server_default='12'))
        batch_op.add_column(sa.Column('slot_offset_minutes', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('visitor_per_day', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('visitor_per_week', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('visitor_per_month', sa.Integer(), nullable=True))

    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.add_column(sa.Column('because_facts', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.add_column(sa.Column('buffer_before', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('buffer_after', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f('ix_visit_expires_at'), ['expires_at'], unique=False)

    # What was booked before keeps the breaks its agent has now.
    for column in ('buffer_before', 'buffer_after'):
        op.execute(
            f'UPDATE visit SET {column} = COALESCE('
            f'(SELECT a.{column} FROM availability a WHERE a.person_id = visit.agent_id), 0)'
        )

    op.create_table('waitlist_entry',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('programme_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=True),
    sa.Column('product_id', sa.Integer(), nullable=True),
    sa.Column('language', sa.String(), nullable=True),
    sa.Column('queued_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('visit_id', sa.Integer(), nullable=True),
    sa.Column('refused', sa.JSON(), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['person.id'], name=op.f('fk_waitlist_entry_agent_id_person')),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_waitlist_entry_person_id_person'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_waitlist_entry_product_id_product')),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_waitlist_entry_programme_id_programme'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_waitlist_entry_visit_id_visit'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_waitlist_entry')),
    sa.UniqueConstraint('programme_id', 'person_id', name=op.f('uq_waitlist_entry_programme_id_person_id'))
    )
    with op.batch_alter_table('waitlist_entry', schema=None) as batch_op:
        for column in ('agent_id', 'person_id', 'product_id', 'queued_at', 'visit_id'):
            batch_op.create_index(batch_op.f(f'ix_waitlist_entry_{column}'), [column], unique=False)


def downgrade() -> None:
    op.drop_table('waitlist_entry')
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_visit_expires_at'))
        for column in ('expires_at', 'buffer_after', 'buffer_before', 'because_facts'):
            batch_op.drop_column(column)
    with op.batch_alter_table('programme', schema=None) as batch_op:
        for column in (
            'visitor_per_month', 'visitor_per_week', 'visitor_per_day', 'slot_offset_minutes', 'offer_hours',
            'approval_hours',
        ):
            batch_op.drop_column(column)
    with op.batch_alter_table('availability', schema=None) as batch_op:
        for column in (
            'stamp', 'created_at', 'pauses', 'paused_at', 'rest_between', 'zone_changes', 'holidays', 'time_off',
        ):
            batch_op.drop_column(column)
    op.drop_table('busy_source')
    op.drop_table('quiet_hours')
