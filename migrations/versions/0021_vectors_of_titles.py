"""vectors of insights' titles, where an encoder is installed"""

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('insight_vector',
    sa.Column('insight_id', sa.Integer(), nullable=False),
    sa.Column('model', sa.String(), nullable=False),
    sa.Column('vector', sa.LargeBinary(), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('as_of', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['insight_id'], ['insight.id'], name=op.f('fk_insight_vector_insight_id_insight'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('insight_id', name=op.f('pk_insight_vector'))
    )
    with op.batch_alter_table('insight_vector', schema=None) as batch_op:
        batch_op.create_index('ix_insight_vector_model_as_of', ['model', 'as_of'], unique=False)


def downgrade() -> None:
    op.drop_table('insight_vector')
