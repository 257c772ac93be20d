"""debriefs of hands-on visits: what visitor and mentor are asked, and what they wrote"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None

TEXTS = ('debrief', 'debrief_ru', 'debrief_mentor', 'debrief_mentor_ru')


def upgrade() -> None:
    op.create_table('visit_debrief',
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('answers', sa.JSON(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_visit_debrief_person_id_person')),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_visit_debrief_visit_id_visit'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('visit_id', 'person_id', name=op.f('pk_visit_debrief'))
    )
    with op.batch_alter_table('visit_debrief', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_visit_debrief_person_id'), ['person_id'], unique=False)
    with op.batch_alter_table('programme', schema=None) as batch_op:
        for name in TEXTS:
            batch_op.add_column(sa.Column(name, sa.String(), nullable=False, server_default=''))
    with op.batch_alter_table('programme', schema=None) as batch_op:
        for name in TEXTS:
            batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('programme', schema=None) as batch_op:
        for name in reversed(TEXTS):
            batch_op.drop_column(name)
    op.drop_table('visit_debrief')
