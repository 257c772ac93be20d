"""first schema"""

import sqlalchemy as sa
from alembic import op


revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('line',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('lead_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['lead_id'], ['person.id'], name=op.f('fk_line_lead_id_person'), use_alter=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_line')),
    sa.UniqueConstraint('name', name=op.f('uq_line_name'))
    )
    with op.batch_alter_table('line', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_line_lead_id'), ['lead_id'], unique=False)

    op.create_table('outbox_item',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('dedup_key', sa.String(), nullable=False),
    sa.Column('group_key', sa.String(), nullable=False),
    sa.Column('recipient', sa.String(), nullable=False),
    sa.Column('payload', sa.JSON(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('run_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('lease_token', sa.String(), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('last_error', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('done_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox_item')),
    sa.UniqueConstraint('dedup_key', name=op.f('uq_outbox_item_dedup_key'))
    )
    with op.batch_alter_table('outbox_item', schema=None) as batch_op:
        batch_op.create_index('ix_outbox_item_due', ['state', 'run_at'], unique=False)
        batch_op.create_index('ix_outbox_item_order', ['group_key', 'recipient', 'id'], unique=False)

    op.create_table('outbox_worker',
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('name', name=op.f('pk_outbox_worker'))
    )
    op.create_table('product',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_product')),
    sa.UniqueConstraint('name', name=op.f('uq_product_name'))
    )
    op.create_table('programme',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('slug', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('name_ru', sa.String(), nullable=False),
    sa.Column('purpose', sa.String(), nullable=False),
    sa.Column('purpose_ru', sa.String(), nullable=False),
    sa.Column('guide', sa.String(), nullable=False),
    sa.Column('guide_ru', sa.String(), nullable=False),
    sa.Column('format', sa.String(), nullable=False),
    sa.Column('duration_minutes', sa.Integer(), nullable=False),
    sa.Column('slot_step_minutes', sa.Integer(), nullable=False),
    sa.Column('min_notice_minutes', sa.Integer(), nullable=False),
    sa.Column('move_notice_minutes', sa.Integer(), nullable=False),
    sa.Column('cancel_notice_minutes', sa.Integer(), nullable=False),
    sa.Column('horizon_days', sa.Integer(), nullable=False),
    sa.Column('seats', sa.Integer(), nullable=False),
    sa.Column('return_after_months', sa.Integer(), nullable=False),
    sa.Column('approval', sa.Boolean(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_programme')),
    sa.UniqueConstraint('slug', name=op.f('uq_programme_slug'))
    )
    op.create_table('person',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('timezone', sa.String(), nullable=False),
    sa.Column('timezone_confirmed', sa.Boolean(), nullable=False),
    sa.Column('locale', sa.String(), nullable=False),
    sa.Column('department', sa.String(), nullable=False),
    sa.Column('line_id', sa.Integer(), nullable=True),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['line_id'], ['line.id'], name=op.f('fk_person_line_id_line')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_person')),
    sa.UniqueConstraint('email', name=op.f('uq_person_email'))
    )
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_person_line_id'), ['line_id'], unique=False)

    # Lines name their lead and people their line: PostgreSQL wants both tables before both keys.
    if op.get_bind().dialect.name == "postgresql":
        op.create_foreign_key("fk_line_lead_id_person", "line", "person", ["lead_id"], ["id"])

    op.create_table('round',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('programme_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('name_ru', sa.String(), nullable=False),
    sa.Column('opens_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('closes_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_round_programme_id_programme')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_round'))
    )
    with op.batch_alter_table('round', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_round_programme_id'), ['programme_id'], unique=False)

    op.create_table('api_token',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('scope', sa.String(), nullable=False),
    sa.Column('token_hash', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_api_token_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_api_token')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_api_token_token_hash'))
    )
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_api_token_person_id'), ['person_id'], unique=False)

    op.create_table('audit_entry',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('action', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('detail', sa.JSON(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_audit_entry_person_id_person'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_audit_entry'))
    )
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_audit_entry_at'), ['at'], unique=False)
        batch_op.create_index(batch_op.f('ix_audit_entry_person_id'), ['person_id'], unique=False)

    op.create_table('availability',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('timezone', sa.String(), nullable=False),
    sa.Column('weekly', sa.JSON(), nullable=False),
    sa.Column('overrides', sa.JSON(), nullable=False),
    sa.Column('buffer_before', sa.Integer(), nullable=False),
    sa.Column('buffer_after', sa.Integer(), nullable=False),
    sa.Column('per_day', sa.Integer(), nullable=True),
    sa.Column('per_week', sa.Integer(), nullable=True),
    sa.Column('per_month', sa.Integer(), nullable=True),
    sa.Column('paused', sa.Boolean(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_availability_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('person_id', name=op.f('pk_availability'))
    )
    op.create_table('idempotent_answer',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('request_hash', sa.String(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_idempotent_answer_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_idempotent_answer')),
    sa.UniqueConstraint('person_id', 'key', name=op.f('uq_idempotent_answer_person_id_key'))
    )
    with op.batch_alter_table('idempotent_answer', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_idempotent_answer_created_at'), ['created_at'], unique=False)

    op.create_table('identity',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('issuer', sa.String(), nullable=False),
    sa.Column('subject', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_identity_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_identity')),
    sa.UniqueConstraint('issuer', 'subject', name=op.f('uq_identity_issuer_subject'))
    )
    with op.batch_alter_table('identity', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_identity_person_id'), ['person_id'], unique=False)

    op.create_table('insight',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('body', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('product_id', sa.Integer(), nullable=True),
    sa.Column('owner_id', sa.Integer(), nullable=True),
    sa.Column('created_by_id', sa.Integer(), nullable=True),
    sa.Column('merged_into_id', sa.Integer(), nullable=True),
    sa.Column('merged_via_id', sa.Integer(), nullable=True),
    sa.Column('untouched', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['created_by_id'], ['person.id'], name=op.f('fk_insight_created_by_id_person')),
    sa.ForeignKeyConstraint(['merged_into_id'], ['insight.id'], name=op.f('fk_insight_merged_into_id_insight')),
    sa.ForeignKeyConstraint(['merged_via_id'], ['insight.id'], name=op.f('fk_insight_merged_via_id_insight')),
    sa.ForeignKeyConstraint(['owner_id'], ['person.id'], name=op.f('fk_insight_owner_id_person')),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_insight_product_id_product')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_insight'))
    )
    with op.batch_alter_table('insight', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_insight_created_by_id'), ['created_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_insight_kind'), ['kind'], unique=False)
        batch_op.create_index(batch_op.f('ix_insight_merged_into_id'), ['merged_into_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_insight_merged_via_id'), ['merged_via_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_insight_owner_id'), ['owner_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_insight_product_id'), ['product_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_insight_status'), ['status'], unique=False)
        batch_op.create_index(batch_op.f('ix_insight_updated_at'), ['updated_at'], unique=False)

    op.create_table('person_language',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('language', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_person_language_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('person_id', 'language', name=op.f('pk_person_language'))
    )
    op.create_table('person_product',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('product_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_person_product_person_id_person'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_person_product_product_id_product'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('person_id', 'product_id', name=op.f('pk_person_product'))
    )
    with op.batch_alter_table('person_product', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_person_product_product_id'), ['product_id'], unique=False)

    op.create_table('person_role',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('role', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_person_role_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('person_id', 'role', name=op.f('pk_person_role'))
    )
    op.create_table('round_sign_up',
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_round_sign_up_person_id_person')),
    sa.ForeignKeyConstraint(['round_id'], ['round.id'], name=op.f('fk_round_sign_up_round_id_round'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('round_id', 'person_id', name=op.f('pk_round_sign_up'))
    )
    with op.batch_alter_table('round_sign_up', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_round_sign_up_person_id'), ['person_id'], unique=False)

    op.create_table('sign_in',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('token_hash', sa.String(), nullable=False),
    sa.Column('method', sa.String(), nullable=False),
    sa.Column('browser', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('revoked_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_sign_in_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in')),
    sa.UniqueConstraint('token_hash', name=op.f('uq_sign_in_token_hash'))
    )
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_in_person_id'), ['person_id'], unique=False)

    op.create_table('sign_in_request',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('browser_hash', sa.String(), nullable=False),
    sa.Column('link_hash', sa.String(), nullable=False),
    sa.Column('code_hash', sa.String(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_sign_in_request_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in_request')),
    sa.UniqueConstraint('browser_hash', name=op.f('uq_sign_in_request_browser_hash')),
    sa.UniqueConstraint('link_hash', name=op.f('uq_sign_in_request_link_hash'))
    )
    with op.batch_alter_table('sign_in_request', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_sign_in_request_created_at'), ['created_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_sign_in_request_email'), ['email'], unique=False)
        batch_op.create_index(batch_op.f('ix_sign_in_request_person_id'), ['person_id'], unique=False)

    op.create_table('visit',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('programme_id', sa.Integer(), nullable=False),
    sa.Column('agent_id', sa.Integer(), nullable=False),
    sa.Column('lead_id', sa.Integer(), nullable=True),
    sa.Column('product_id', sa.Integer(), nullable=True),
    sa.Column('booked_by_id', sa.Integer(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('uid', sa.String(), nullable=False),
    sa.Column('sequence', sa.Integer(), nullable=False),
    sa.Column('meeting_url', sa.String(), nullable=False),
    sa.Column('cancel_reason', sa.String(), nullable=False),
    sa.Column('because', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('changed_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['agent_id'], ['person.id'], name=op.f('fk_visit_agent_id_person')),
    sa.ForeignKeyConstraint(['booked_by_id'], ['person.id'], name=op.f('fk_visit_booked_by_id_person')),
    sa.ForeignKeyConstraint(['lead_id'], ['person.id'], name=op.f('fk_visit_lead_id_person')),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_visit_product_id_product')),
    sa.ForeignKeyConstraint(['programme_id'], ['programme.id'], name=op.f('fk_visit_programme_id_programme')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_visit')),
    sa.UniqueConstraint('uid', name=op.f('uq_visit_uid'))
    )
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.create_index('ix_visit_agent_id_starts_at', ['agent_id', 'starts_at'], unique=False)
        batch_op.create_index(batch_op.f('ix_visit_booked_by_id'), ['booked_by_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_visit_lead_id'), ['lead_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_visit_product_id'), ['product_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_visit_programme_id'), ['programme_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_visit_starts_at'), ['starts_at'], unique=False)

    op.create_table('insight_change',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('insight_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('field', sa.String(), nullable=False),
    sa.Column('before', sa.String(), nullable=False),
    sa.Column('after', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['insight_id'], ['insight.id'], name=op.f('fk_insight_change_insight_id_insight'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_insight_change_person_id_person'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_insight_change'))
    )
    with op.batch_alter_table('insight_change', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_insight_change_insight_id'), ['insight_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_insight_change_person_id'), ['person_id'], unique=False)

    op.create_table('insight_term',
    sa.Column('term', sa.String().with_variant(sa.String(collation='C'), 'postgresql'), nullable=False),
    sa.Column('insight_id', sa.Integer(), nullable=False),
    sa.Column('weight', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['insight_id'], ['insight.id'], name=op.f('fk_insight_term_insight_id_insight'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('term', 'insight_id', name=op.f('pk_insight_term'))
    )
    with op.batch_alter_table('insight_term', schema=None) as batch_op:
        batch_op.create_index('ix_insight_term_insight_id', ['insight_id'], unique=False)

    op.create_table('insight_vote',
    sa.Column('insight_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['insight_id'], ['insight.id'], name=op.f('fk_insight_vote_insight_id_insight'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_insight_vote_person_id_person'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('insight_id', 'person_id', name=op.f('pk_insight_vote'))
    )
    with op.batch_alter_table('insight_vote', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_insight_vote_person_id'), ['person_id'], unique=False)

    op.create_table('observation',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=False),
    sa.Column('insight_id', sa.Integer(), nullable=True),
    sa.Column('client_id', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('severity', sa.Integer(), nullable=True),
    sa.Column('frequency', sa.String(), nullable=False),
    sa.Column('verbatim', sa.String(), nullable=False),
    sa.Column('workaround', sa.String(), nullable=False),
    sa.Column('product_id', sa.Integer(), nullable=True),
    sa.Column('tool', sa.String(), nullable=False),
    sa.Column('tags', sa.String(), nullable=False),
    sa.Column('is_question', sa.Boolean(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('edited_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['author_id'], ['person.id'], name=op.f('fk_observation_author_id_person')),
    sa.ForeignKeyConstraint(['insight_id'], ['insight.id'], name=op.f('fk_observation_insight_id_insight')),
    sa.ForeignKeyConstraint(['product_id'], ['product.id'], name=op.f('fk_observation_product_id_product')),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_observation_visit_id_visit')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_observation')),
    sa.UniqueConstraint('visit_id', 'client_id', name=op.f('uq_observation_visit_id_client_id'))
    )
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_observation_author_id'), ['author_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_observation_insight_id'), ['insight_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_observation_product_id'), ['product_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_observation_visit_id'), ['visit_id'], unique=False)

    op.create_table('tick',
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('tick', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_tick_person_id_person')),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_tick_visit_id_visit'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('person_id', 'tick', name=op.f('pk_tick'))
    )
    with op.batch_alter_table('tick', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_tick_visit_id'), ['visit_id'], unique=False)

    op.create_table('visit_outcome',
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.Column('took_place', sa.String(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_visit_outcome_person_id_person')),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_visit_outcome_visit_id_visit'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('visit_id', 'person_id', name=op.f('pk_visit_outcome'))
    )
    with op.batch_alter_table('visit_outcome', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_visit_outcome_person_id'), ['person_id'], unique=False)

    op.create_table('visit_visitor',
    sa.Column('visit_id', sa.Integer(), nullable=False),
    sa.Column('person_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['person.id'], name=op.f('fk_visit_visitor_person_id_person')),
    sa.ForeignKeyConstraint(['visit_id'], ['visit.id'], name=op.f('fk_visit_visitor_visit_id_visit'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('visit_id', 'person_id', name=op.f('pk_visit_visitor'))
    )
    with op.batch_alter_table('visit_visitor', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_visit_visitor_person_id'), ['person_id'], unique=False)



def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_line_lead_id_person", "line", type_="foreignkey")
    with op.batch_alter_table('visit_visitor', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_visit_visitor_person_id'))

    op.drop_table('visit_visitor')
    with op.batch_alter_table('visit_outcome', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_visit_outcome_person_id'))

    op.drop_table('visit_outcome')
    with op.batch_alter_table('tick', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_tick_visit_id'))

    op.drop_table('tick')
    with op.batch_alter_table('observation', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_observation_visit_id'))
        batch_op.drop_index(batch_op.f('ix_observation_product_id'))
        batch_op.drop_index(batch_op.f('ix_observation_insight_id'))
        batch_op.drop_index(batch_op.f('ix_observation_author_id'))

    op.drop_table('observation')
    with op.batch_alter_table('insight_vote', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_insight_vote_person_id'))

    op.drop_table('insight_vote')
    with op.batch_alter_table('insight_term', schema=None) as batch_op:
        batch_op.drop_index('ix_insight_term_insight_id')

    op.drop_table('insight_term')
    with op.batch_alter_table('insight_change', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_insight_change_person_id'))
        batch_op.drop_index(batch_op.f('ix_insight_change_insight_id'))

    op.drop_table('insight_change')
    with op.batch_alter_table('visit', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_visit_starts_at'))
        batch_op.drop_index(batch_op.f('ix_visit_programme_id'))
        batch_op.drop_index(batch_op.f('ix_visit_product_id'))
        batch_op.drop_index(batch_op.f('ix_visit_lead_id'))
        batch_op.drop_index(batch_op.f('ix_visit_booked_by_id'))
        batch_op.drop_index('ix_visit_agent_id_starts_at')

    op.drop_table('visit')
    with op.batch_alter_table('sign_in_request', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_in_request_person_id'))
        batch_op.drop_index(batch_op.f('ix_sign_in_request_email'))
        batch_op.drop_index(batch_op.f('ix_sign_in_request_created_at'))

    op.drop_table('sign_in_request')
    with op.batch_alter_table('sign_in', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_sign_in_person_id'))

    op.drop_table('sign_in')
    with op.batch_alter_table('round_sign_up', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_round_sign_up_person_id'))

    op.drop_table('round_sign_up')
    op.drop_table('person_role')
    with op.batch_alter_table('person_product', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_person_product_product_id'))

    op.drop_table('person_product')
    op.drop_table('person_language')
    with op.batch_alter_table('insight', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_insight_updated_at'))
        batch_op.drop_index(batch_op.f('ix_insight_status'))
        batch_op.drop_index(batch_op.f('ix_insight_product_id'))
        batch_op.drop_index(batch_op.f('ix_insight_owner_id'))
        batch_op.drop_index(batch_op.f('ix_insight_merged_via_id'))
        batch_op.drop_index(batch_op.f('ix_insight_merged_into_id'))
        batch_op.drop_index(batch_op.f('ix_insight_kind'))
        batch_op.drop_index(batch_op.f('ix_insight_created_by_id'))

    op.drop_table('insight')
    with op.batch_alter_table('identity', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_identity_person_id'))

    op.drop_table('identity')
    with op.batch_alter_table('idempotent_answer', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_idempotent_answer_created_at'))

    op.drop_table('idempotent_answer')
    op.drop_table('availability')
    with op.batch_alter_table('audit_entry', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_audit_entry_person_id'))
        batch_op.drop_index(batch_op.f('ix_audit_entry_at'))

    op.drop_table('audit_entry')
    with op.batch_alter_table('api_token', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_api_token_person_id'))

    op.drop_table('api_token')
    with op.batch_alter_table('round', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_round_programme_id'))

    op.drop_table('round')
    with op.batch_alter_table('person', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_person_line_id'))

    op.drop_table('person')
    op.drop_table('programme')
    op.drop_table('product')
    op.drop_table('outbox_worker')
    with op.batch_alter_table('outbox_item', schema=None) as batch_op:
        batch_op.drop_index('ix_outbox_item_order')
        batch_op.drop_index('ix_outbox_item_due')

    op.drop_table('outbox_item')
    with op.batch_alter_table('line', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_line_lead_id'))

    op.drop_table('line')
