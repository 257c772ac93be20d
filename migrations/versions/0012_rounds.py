"""rounds: wishes, agents' capacity, invitees, proposals and their pairs"""

import sqlalchemy as sa
from alembic import op

import gemba.db

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('round', schema=None) as batch_op:
        batch_op.add_column(sa.Column('visits_from', gemba.db.UTCDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('visits_until', gemba.db.UTCDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('seed', sa.Integer(), nullable=False, server_default='0'))
        batch_op.add_column(sa.Column('published_at', gemba.db.UTCDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column('reminded_at', gemba.db.UTCDateTime(timezone=True), nullable=True))
    with op.batch_alter_table('round', schema=None) as batch_op:
        batch_op.alter_column('seed', server_default=None)
    with op.batch_alter_table('round_sign_up', schema=None) as batch_op:
        batch_op.add_column(sa.Column('timezone', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('weekly', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.add_column(sa.Column('busy', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('products', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('insists', sa.Boolean(), nullable=False, server_default=sa.false()))
        batch_op.add_column(sa.Column('line_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('language', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('refuses', sa.JSON(), nullable=False, server_default='[]'))
        batch_op.add_column(sa.Column('outcome', sa.String(), nullable=False, server_default=''))
        batch_op.add_column(sa.Column('reason', sa.JSON(), nullable=False, server_default='{}'))
        batch_op.create_index(batch_op.f('ix_round_sign_up_line_id'), ['line_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_round_sign_up_line_id_line'), 'line', ['line_id'], ['id'])
    with op.batch_alter_table('round_sign_up', schema=None) as batch_op:
        for name in ('timezone', 'weekly', 'busy', 'products', 'insists', 'language', 'refuses', 'outcome', 'reason'):
            batch_op.alter_column(name, server_default=None)
    op.create_table('round_invitee',
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('invited_at', gemba.db.UTCDateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_round_invitee_person_id_person'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_round_invitee_round_id_round'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('round_id', 'person_id', name=op.f('pk_round_invitee'))
    )
    with op.batch_alter_table('round_invitee', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_round_invitee_person_id'), ['person_id'], unique=False)
    op.create_table('round_agent',
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('capacity', sa.Integer(), nullable=True),
    sa.Column('asked_at', gemba.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('confirmed_at', gemba.db.UTCDateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_round_agent_person_id_person'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_round_agent_round_id_round'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('round_id', 'person_id', name=op.f('pk_round_agent'))
    )
    with op.batch_alter_table('round_agent', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_round_agent_person_id'), ['person_id'], unique=False)
    op.create_table('round_run',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('step', sa.String(), nullable=False),
    sa.Column('token', sa.String(), nullable=False),
    sa.Column('asked_by_id', sa.Integer(), nullable=True),
    sa.Column('created_at', gemba.db.UTCDateTime(timezone=True), nullable=False),
    sa.Column('began_at', gemba.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('ended_at', gemba.db.UTCDateTime(timezone=True), nullable=True),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.Column('left_out', sa.JSON(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['asked_by_id'], ['person.id'], name=op.f('fk_round_run_asked_by_id_person'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_round_run_round_id_round'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_round_run'))
    )
    with op.batch_alter_table('round_run', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_round_run_asked_by_id'), ['asked_by_id'], unique=False)
        batch_op.create_index('ix_round_run_round_id_id', ['round_id', 'id'], unique=False)
    op.create_table('round_pair',
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('tick', sa.Integer(), nullable=False),
    sa.Column('score', sa.Integer(), nullable=False),
    sa.Column('because', sa.JSON(), nullable=False),
    sa.Column('pinned', sa.Boolean(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('visit_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['agent_id'], ['person.id'], name=op.f('fk_round_pair_agent_id_person'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_round_pair_person_id_person'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_round_pair_round_id_round'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_round_pair_visit_id_visit'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('round_id', 'person_id', name=op.f('pk_round_pair'))
    )
    with op.batch_alter_table('round_pair', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_round_pair_agent_id'), ['agent_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_round_pair_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_round_pair_visit_id'), ['visit_id'], unique=False)


def downgrade() -> None:
    for name in ('round_pair', 'round_run', 'round_agent', 'round_invitee'):
        op.drop_table(name)
    with op.batch_alter_table('round_sign_up', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('fk_round_sign_up_line_id_line'), type_='foreignkey')
        batch_op.drop_index(batch_op.f('ix_round_sign_up_line_id'))
        for name in ('reason', 'outcome', 'refuses', 'language', 'line_id', 'insists', 'products', 'busy', 'weekly', 'timezone'):
            batch_op.drop_column(name)
    with op.batch_alter_table('round', schema=None) as batch_op:
        for name in ('reminded_at', 'published_at', 'seed', 'visits_until', 'visits_from'):
            batch_op.drop_column(name)
