"""still there: answers about insights that were seen before"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'still_there',
        sa.Column('visit_id', sa.Integer(), nullable=False),
        sa.Column('insight_id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('answer', sa.String(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['insight_id'], ['insight.id'], name=op.f('fk_still_there_insight_id_insight'), ondelete='CASCADE'
        ),
        sa.ForeignKeyConstraint(
            ['person_id'], ['person.id'], name=op.f('fk_still_there_person_id_person')
        ),
        sa.ForeignKeyConstraint(
            ['visit_id'], ['visit.id'], name=op.f('fk_still_there_visit_id_visit'), ondelete='CASCADE'
        ),
        sa.PrimaryKeyConstraint('visit_id', 'insight_id', 'person_id', name=op.f('pk_still_there')),
    )
    with op.batch_alter_table('still_there', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_still_there_insight_id'), ['insight_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_still_there_person_id'), ['person_id'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('still_there', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_still_there_person_id'))
        batch_op.drop_index(batch_op.f('ix_still_there_insight_id'))
    op.drop_table('still_there')
