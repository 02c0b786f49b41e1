"""Stock, orders, payments, the outbox, and the books of the test provider."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    connection = op.get_bind()
    # Without parameters the driver sends all statements at once.
    connection.execution_options(no_parameters=True).exec_driver_sql(SCHEMA)


SCHEMA = """
CREATE TABLE stock (
    stock_key text NOT NULL,
    available integer NOT NULL,
    CONSTRAINT pk_stock PRIMARY KEY (stock_key),
    CONSTRAINT ck_stock_available_not_negative CHECK (available >= 0)
);

CREATE TABLE orders (
    id text NOT NULL,
    number text NOT NULL,
    state text NOT NULL,
    cancel_reason text,
    key_scope text NOT NULL,
    key text NOT NULL,
    fingerprint text NOT NULL,
    cart_id text NOT NULL,
    cart_revision text NOT NULL,
    email text NOT NULL,
    name text NOT NULL,
    line1 text NOT NULL,
    line2 text NOT NULL,
    postal_code text NOT NULL,
    city text NOT NULL,
    country text NOT NULL,
    phone text NOT NULL,
    currency text NOT NULL,
    subtotal_minor bigint NOT NULL,
    shipping_minor bigint NOT NULL,
    tax_minor bigint NOT NULL,
    total_minor bigint NOT NULL,
    taxes jsonb NOT NULL,
    placed_at timestamptz NOT NULL,
    pay_by timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT pk_orders PRIMARY KEY (id),
    CONSTRAINT uq_orders_number UNIQUE (number),
    CONSTRAINT uq_orders_key UNIQUE (key_scope, key),
    CONSTRAINT ck_orders_state CHECK (state IN ('awaiting_payment', 'paid', 'cancelled')),
    CONSTRAINT ck_orders_cancel_reason CHECK (cancel_reason IN
        ('payment_declined', 'payment_lost', 'payment_late', 'by_shopper')),
    CONSTRAINT ck_orders_cancelled_for_a_reason CHECK
        ((state = 'cancelled') = (cancel_reason IS NOT NULL)),
    CONSTRAINT ck_orders_finished_at_a_time CHECK
        ((state = 'awaiting_payment') = (finished_at IS NULL)),
    CONSTRAINT ck_orders_amounts CHECK (subtotal_minor >= 0 AND shipping_minor >= 0),
    CONSTRAINT ck_orders_total CHECK (total_minor = subtotal_minor + shipping_minor),
    CONSTRAINT ck_orders_tax CHECK (tax_minor BETWEEN 0 AND total_minor),
    CONSTRAINT ck_orders_currency CHECK (currency ~ '^[A-Z]{3}$'),
    CONSTRAINT ck_orders_country CHECK (country ~ '^[A-Z]{2}$')
);
CREATE UNIQUE INDEX uq_orders_cart ON orders (cart_id, cart_revision) WHERE state <> 'cancelled';
CREATE INDEX ix_orders_placed_at ON orders (placed_at, id);

CREATE TABLE order_lines (
    order_id text NOT NULL,
    position smallint NOT NULL,
    sku text NOT NULL,
    title text NOT NULL,
    choices text[] NOT NULL,
    quantity integer NOT NULL,
    unit_price_minor bigint NOT NULL,
    stock_key text NOT NULL,
    CONSTRAINT pk_order_lines PRIMARY KEY (order_id, position),
    CONSTRAINT uq_order_lines_sku UNIQUE (order_id, sku),
    CONSTRAINT fk_order_lines_order_id FOREIGN KEY (order_id) REFERENCES orders (id),
    CONSTRAINT ck_order_lines_quantity CHECK (quantity > 0),
    CONSTRAINT ck_order_lines_unit_price CHECK (unit_price_minor >= 0)
);

CREATE TABLE order_events (
    id bigint GENERATED ALWAYS AS IDENTITY,
    order_id text NOT NULL,
    at timestamptz NOT NULL,
    what text NOT NULL,
    detail jsonb NOT NULL,
    CONSTRAINT pk_order_events PRIMARY KEY (id),
    CONSTRAINT fk_order_events_order_id FOREIGN KEY (order_id) REFERENCES orders (id),
    CONSTRAINT ck_order_events_what CHECK (what <> '')
);
CREATE INDEX ix_order_events_order_id ON order_events (order_id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER order_events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE payments (
    order_id text NOT NULL,
    provider text NOT NULL,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    reference text,
    confirm_url text,
    busy_until timestamptz NOT NULL,
    CONSTRAINT pk_payments PRIMARY KEY (order_id),
    CONSTRAINT fk_payments_order_id FOREIGN KEY (order_id) REFERENCES orders (id),
    CONSTRAINT ck_payments_state CHECK (state IN
        ('open', 'needs_confirmation', 'succeeded', 'declined', 'cancelling', 'cancelled')),
    CONSTRAINT ck_payments_amount CHECK (amount_minor >= 0),
    CONSTRAINT ck_payments_confirm_url CHECK
        ((state = 'needs_confirmation') = (confirm_url IS NOT NULL))
);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY,
    topic text NOT NULL,
    subject text NOT NULL,
    body jsonb NOT NULL,
    due_at timestamptz NOT NULL,
    CONSTRAINT pk_outbox PRIMARY KEY (id),
    CONSTRAINT ck_outbox_topic_named CHECK (topic <> ''),
    CONSTRAINT ck_outbox_subject_named CHECK (subject <> '')
);
CREATE INDEX ix_outbox_due_at ON outbox (due_at);
CREATE INDEX ix_outbox_subject ON outbox (subject, topic);

CREATE SCHEMA testpay;
CREATE TABLE testpay.charges (
    order_id text NOT NULL,
    reference text NOT NULL,
    state text NOT NULL,
    amount_minor bigint NOT NULL,
    currency text NOT NULL,
    charged_minor bigint NOT NULL,
    refunded_minor bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_charges PRIMARY KEY (order_id),
    CONSTRAINT uq_charges_reference UNIQUE (reference),
    CONSTRAINT ck_charges_state CHECK
        (state IN ('needs_confirmation', 'succeeded', 'declined', 'cancelled')),
    CONSTRAINT ck_charges_money_follows_state CHECK (
        CASE state
            WHEN 'succeeded' THEN charged_minor = amount_minor AND refunded_minor = 0
            WHEN 'cancelled' THEN charged_minor IN (0, amount_minor)
                AND refunded_minor = charged_minor
            ELSE charged_minor = 0 AND refunded_minor = 0
        END)
);
"""
