//! Customers: who owes, and how to reach them.

use domain::channel::LineType;
use domain::id::{CustomerId, MerchantId};
use domain::time::Timestamp;
use sea_orm::entity::prelude::{
    ActiveModelBehavior, DeriveEntityModel, DerivePrimaryKey, DeriveRelation, EntityTrait, EnumIter,
    PrimaryKeyTrait,
};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Value,
};

use crate::sql;
use crate::stored::Stored;

#[derive(Debug, Clone, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "customers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Stored<CustomerId>,
    pub merchant_id: Stored<MerchantId>,
    pub external_ref: Option<String>,
    pub name: String,
    pub phone: Option<String>,
    pub line_type: Stored<LineType>,
    pub email: Option<String>,
    pub locale: Option<String>,
    pub time_zone: Option<String>,
    pub created_at_ms: i64,
    pub updated_at_ms: i64,
}

#[derive(Debug, Clone, Copy, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// Which customers a list names; what is `None` does not narrow it.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub external_ref: Option<String>,
    pub phone: Option<String>,
    pub email: Option<String>,
}

/// One merchant's customer.
///
/// # Errors
/// Whatever the store says.
pub async fn find<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    id: &CustomerId,
) -> Result<Option<Model>, DbErr> {
    let text = "SELECT * FROM customers WHERE id = $1 AND merchant_id = $2";
    sql::one(db, text, [id.as_str().into(), merchant_id.as_str().into()]).await
}

/// The same, kept from other writers until the transaction ends.
///
/// # Errors
/// Whatever the store says.
pub async fn lock<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    id: &CustomerId,
) -> Result<Option<Model>, DbErr> {
    let text = format!(
        "SELECT * FROM customers WHERE id = $1 AND merchant_id = $2 {}",
        sql::for_update(tx.get_database_backend())
    );
    sql::one(tx, text, [id.as_str().into(), merchant_id.as_str().into()]).await
}

/// A merchant's customers, newest first, older than `before`.
///
/// # Errors
/// Whatever the store says.
pub async fn page<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    filter: Filter,
    before: Option<&CustomerId>,
    limit: u64,
) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::MerchantId.eq(merchant_id.as_str()))
        .apply_if(filter.external_ref, |query, wanted| query.filter(Column::ExternalRef.eq(wanted)))
        .apply_if(filter.phone, |query, wanted| query.filter(Column::Phone.eq(wanted)))
        .apply_if(filter.email, |query, wanted| query.filter(Column::Email.eq(wanted)))
        .apply_if(before, |query, before| query.filter(Column::Id.lt(before.as_str())))
        .order_by_desc(Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Those of a merchant's customers that carry one of these references.
///
/// # Errors
/// Whatever the store says.
pub async fn by_external_refs<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    refs: &[String],
) -> Result<Vec<Model>, DbErr> {
    if refs.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!(
        "SELECT * FROM customers WHERE merchant_id = $1 AND external_ref {}",
        sql::among(db.get_database_backend(), 2)
    );
    sql::all(db, text, [merchant_id.as_str().into(), sql::text_list(refs)]).await
}

/// Stores a customer.
///
/// # Errors
/// A unique violation when the merchant's reference is taken.
pub async fn insert<C: ConnectionTrait>(db: &C, customer: Model) -> Result<(), DbErr> {
    Entity::insert(customer.into_active_model()).exec_without_returning(db).await.map(drop)
}

const COLUMNS: [(&str, &str); 11] = [
    ("id", "text"),
    ("merchant_id", "text"),
    ("external_ref", "text"),
    ("name", "text"),
    ("phone", "text"),
    ("line_type", "text"),
    ("email", "text"),
    ("locale", "text"),
    ("time_zone", "text"),
    ("created_at_ms", "bigint"),
    ("updated_at_ms", "bigint"),
];

/// Stores many customers in one statement.
///
/// # Errors
/// Whatever the store says.
pub async fn insert_many<C: ConnectionTrait>(tx: &C, customers: &[Model]) -> Result<(), DbErr> {
    if customers.is_empty() {
        return Ok(());
    }
    let rows: Vec<serde_json::Value> = customers
        .iter()
        .map(|customer| {
            serde_json::json!({
                "id": customer.id, "merchant_id": customer.merchant_id, "external_ref": customer.external_ref,
                "name": customer.name, "phone": customer.phone, "line_type": customer.line_type,
                "email": customer.email, "locale": customer.locale, "time_zone": customer.time_zone,
                "created_at_ms": customer.created_at_ms, "updated_at_ms": customer.updated_at_ms,
            })
        })
        .collect();
    let text = format!(
        "INSERT INTO customers (id, merchant_id, external_ref, name, phone, line_type, email, locale, time_zone, created_at_ms, updated_at_ms) \
         SELECT r.id, r.merchant_id, r.external_ref, r.name, r.phone, r.line_type, r.email, r.locale, r.time_zone, r.created_at_ms, r.updated_at_ms FROM {}",
        sql::rows(tx.get_database_backend(), 1, "r", &COLUMNS)
    );
    sql::run(tx, text, [sql::row_list(&rows)]).await.map(drop)
}

/// Writes a customer as it is now.
///
/// # Errors
/// A unique violation when the merchant's reference is taken.
pub async fn update<C: ConnectionTrait>(tx: &C, customer: &Model) -> Result<(), DbErr> {
    let text = "UPDATE customers SET external_ref = $2, name = $3, phone = $4, line_type = $5, email = $6, locale = $7, \
         time_zone = $8, updated_at_ms = $9 WHERE id = $1";
    let values: [Value; 9] = [
        customer.id.as_str().into(),
        customer.external_ref.clone().into(),
        customer.name.clone().into(),
        customer.phone.clone().into(),
        customer.line_type.word().into(),
        customer.email.clone().into(),
        customer.locale.clone().into(),
        customer.time_zone.clone().into(),
        customer.updated_at_ms.into(),
    ];
    sql::run(tx, text, values).await.map(drop)
}

/// Deletes a customer who has no invoice; `false` when there is one.
///
/// # Errors
/// Whatever the store says.
pub async fn delete_unused<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    id: &CustomerId,
) -> Result<bool, DbErr> {
    let text = "DELETE FROM customers WHERE id = $1 AND merchant_id = $2 \
         AND NOT EXISTS (SELECT 1 FROM invoices WHERE customer_id = $1)";
    Ok(sql::run(tx, text, [id.as_str().into(), merchant_id.as_str().into()]).await? > 0)
}

/// Takes a number that is not theirs off a customer; `false` when they do not have it.
///
/// # Errors
/// Whatever the store says.
pub async fn retire_phone<C: ConnectionTrait>(
    tx: &C,
    id: &CustomerId,
    phone: &str,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let text = "UPDATE customers SET phone = NULL, line_type = 'unknown', updated_at_ms = $3 WHERE id = $1 AND phone = $2";
    Ok(sql::run(tx, text, [id.as_str().into(), phone.into(), now.millis().into()]).await? > 0)
}

/// # Errors
/// Whatever the store says.
pub async fn by_ids<C: ConnectionTrait>(db: &C, ids: &[String]) -> Result<Vec<Model>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let text = format!("SELECT * FROM customers WHERE id {}", sql::among(db.get_database_backend(), 1));
    sql::all(db, text, [sql::text_list(ids)]).await
}

/// A merchant's customers who share a number.
///
/// # Errors
/// Whatever the store says.
pub async fn by_phone<C: ConnectionTrait>(
    db: &C,
    merchant_id: &MerchantId,
    phone: &str,
) -> Result<Vec<Model>, DbErr> {
    let text = "SELECT * FROM customers WHERE merchant_id = $1 AND phone = $2 ORDER BY id";
    sql::all(db, text, [merchant_id.as_str().into(), phone.into()]).await
}

/// Keeps what a carrier's refusal taught us about a number's line.
///
/// # Errors
/// Whatever the store says.
pub async fn learn_line_type<C: ConnectionTrait>(
    tx: &C,
    merchant_id: &MerchantId,
    phone: &str,
    line_type: LineType,
    now: Timestamp,
) -> Result<u64, DbErr> {
    let text = "UPDATE customers SET line_type = $3, updated_at_ms = $4 WHERE merchant_id = $1 AND phone = $2 AND line_type <> $3";
    let values = [merchant_id.as_str().into(), phone.into(), line_type.word().into(), now.millis().into()];
    sql::run(tx, text, values).await
}
