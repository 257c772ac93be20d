"""ticket_pictures: screenshots at tickets, and tickets that hold struck words"""

import sqlalchemy as sa
from alembic import op


revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.add_column(sa.Column('struck_at', sa.DateTime(timezone=True), nullable=True))

    op.create_table('ticket_picture',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('ticket_id', sa.Integer(), nullable=False),
    sa.Column('picture_id', sa.Integer(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.Column('next_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['picture_id'], ['picture.id'], name=op.f('fk_ticket_picture_picture_id_picture'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['ticket_id'], ['ticket.id'], name=op.f('fk_ticket_picture_ticket_id_ticket'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_ticket_picture')),
    sa.UniqueConstraint('ticket_id', 'picture_id', name=op.f('uq_ticket_picture_ticket_id_picture_id'))
    )
    with op.batch_alter_table('ticket_picture', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ticket_picture_picture_id'), ['picture_id'], unique=False)
        batch_op.create_index('ix_ticket_picture_state', ['state'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('ticket_picture', schema=None) as batch_op:
        batch_op.drop_index('ix_ticket_picture_state')
        batch_op.drop_index(batch_op.f('ix_ticket_picture_picture_id'))

    op.drop_table('ticket_picture')
    with op.batch_alter_table('ticket', schema=None) as batch_op:
        batch_op.drop_column('struck_at')
