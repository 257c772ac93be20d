"""programmes: lines that are visited, languages of the visits; calendars at an address in rounds"""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None

LISTS = ('languages', 'lines')


def upgrade() -> None:
    with op.batch_alter_table('programme', schema=None) as batch_op:
        for name in LISTS:
            batch_op.add_column(sa.Column(name, sa.JSON(), server_default='[]', nullable=False))
    with op.batch_alter_table('programme', schema=None) as batch_op:
        for name in LISTS:
            batch_op.alter_column(name, server_default=None)
    op.create_table('round_calendar',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
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
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_round_calendar_person_id_person')),
    sa.ForeignKeyConstraint(['round_id', 'person_id'], ['round_sign_up.round_id', 'round_sign_up.person_id'], name=op.f('fk_round_calendar_round_id_round_sign_up'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_round_calendar'))
    )
    with op.batch_alter_table('round_calendar', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_round_calendar_person_id'), ['person_id'], unique=False)
        batch_op.create_index('ix_round_calendar_round_id_person_id', ['round_id', 'person_id'], unique=True)


def downgrade() -> None:
    op.drop_table('round_calendar')
    with op.batch_alter_table('programme', schema=None) as batch_op:
        for name in reversed(LISTS):
            batch_op.drop_column(name)
