"""programmes: who may take part, all year or by rounds, goals, drafts"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('programme_person',
    sa.Column('programme_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_programme_person_person_id_person'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_programme_person_programme_id_programme'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('programme_id', 'person_id', name=op.f('pk_programme_person'))
    )
    with op.batch_alter_table('programme_person', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_programme_person_person_id'), ['person_id'], unique=False)

    with op.batch_alter_table('programme', schema=None) as batch_op:
        batch_op.add_column(sa.Column('who', sa.String(), server_default='everyone', nullable=False))
        batch_op.add_column(sa.Column('departments', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('opening', sa.String(), server_default='both', nullable=False))
        batch_op.add_column(sa.Column('goal_share', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('goal_months', sa.Integer(), server_default='6', nullable=False))
        batch_op.add_column(sa.Column('goal_visits', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('draft', sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table('programme', schema=None) as batch_op:
        for name in ('who', 'departments', 'opening', 'goal_months', 'draft'):
            batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    with op.batch_alter_table('programme', schema=None) as batch_op:
        for name in ('draft', 'goal_visits', 'goal_months', 'goal_share', 'opening', 'departments', 'who'):
            batch_op.drop_column(name)
    op.drop_table('programme_person')
