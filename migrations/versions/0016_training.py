"""training: steps, their files, and who has done what"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'training_step',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('programme_id', sa.Integer(), nullable=False),
        sa.Column('position', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(), nullable=False),
        sa.Column('title', sa.String(), nullable=False),
        sa.Column('title_ru', sa.String(), nullable=False),
        sa.Column('text', sa.String(), nullable=False),
        sa.Column('text_ru', sa.String(), nullable=False),
        sa.Column('link', sa.String(), nullable=False),
        sa.Column('answers', sa.String(), nullable=False),
        sa.Column('answers_ru', sa.String(), nullable=False),
        sa.Column('file_name', sa.String(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_training_step_programme_id_programme'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_training_step')),
    )
    with op.batch_alter_table('training_step', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_training_step_programme_id'), ['programme_id'], unique=False)
    op.create_table(
        'training_file',
        sa.Column('step_id', sa.Integer(), nullable=False),
        sa.Column('content', sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(['step_id'], ['training_step.id'], name=op.f('fk_training_file_step_id_training_step'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('step_id', name=op.f('pk_training_file')),
    )
    op.create_table(
        'training_done',
        sa.Column('step_id', sa.Integer(), nullable=False),
        sa.Column('person_id', sa.Integer(), nullable=False),
        sa.Column('signed_by_id', sa.Integer(), nullable=True),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_training_done_person_id_person'), ondelete='CASCADE'),
        sa.ForeignKeyConstraint(['signed_by_id'], ['person.id'], name=op.f('fk_training_done_signed_by_id_person'), ondelete='SET NULL'),
        sa.ForeignKeyConstraint(['step_id'], ['training_step.id'], name=op.f('fk_training_done_step_id_training_step'), ondelete='CASCADE'),
        sa.PrimaryKeyConstraint('step_id', 'person_id', name=op.f('pk_training_done')),
    )
    with op.batch_alter_table('training_done', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_training_done_person_id'), ['person_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_training_done_signed_by_id'), ['signed_by_id'], unique=False)


def downgrade() -> None:
    op.drop_table('training_done')
    op.drop_table('training_file')
    op.drop_table('training_step')
