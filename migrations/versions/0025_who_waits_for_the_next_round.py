"""who waits for the next round of a programme; agents who were asked a second time"""

import sqlalchemy as sa
from alembic import op

revision = '0025'
down_revision = '0024'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('next_time',
    sa.Column('programme_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_next_time_person_id_person'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_next_time_programme_id_programme'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('programme_id', 'person_id', name=op.f('pk_next_time'))
    )
    with op.batch_alter_table('next_time', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_next_time_person_id'), ['person_id'], unique=False)
    with op.batch_alter_table('round_agent', schema=None) as batch_op:
        batch_op.add_column(sa.Column('reminded_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('round_agent', schema=None) as batch_op:
        batch_op.drop_column('reminded_at')
    op.drop_table('next_time')
