"""capture: when a visit really started, what is asked for, words not yet saved"""

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.add_column(sa.Column('started_at', sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.add_column(sa.Column('is_ask', sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.alter_column('is_ask', server_default=None)
    op.create_table('note_draft',
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('client_id', sa.String(), nullable=False),
    sa.Column('line', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('severity', sa.Integer(), nullable=True),
    sa.Column('is_ask', sa.Boolean(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_note_draft_person_id_person'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_note_draft_visit_id_visit'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('visit_id', 'person_id', 'client_id', name=op.f('pk_note_draft'))
    )
    with op.batch_alter_table('note_draft', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_note_draft_person_id'), ['person_id'], unique=False)


def downgrade() -> None:
    op.drop_table('note_draft')
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.drop_column('is_ask')
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.drop_column('started_at')
