//! Words that must not turn up where nobody may read them, and the places they are searched for in.

pub(crate) mod blast;
pub(crate) mod echo;

use entities::Db;

/// A secret, or something of a customer's.
#[derive(Debug, Clone)]
pub(crate) struct Canary {
    pub(crate) name: &'static str,
    /// Its tell-tale part: digits without signs between them, the left half of an address.
    pub(crate) word: String,
    /// `table.column` of every column made to hold it. No other one may, and one of these must.
    pub(crate) home: &'static [&'static str],
}

impl Canary {
    /// Something that is stored nowhere.
    pub(crate) fn secret(name: &'static str, word: impl Into<String>) -> Self {
        Self { name, word: word.into(), home: &[] }
    }

    pub(crate) fn kept_in(
        name: &'static str,
        word: impl Into<String>,
        home: &'static [&'static str],
    ) -> Self {
        Self { name, word: word.into(), home }
    }
}

/// Which of them a text gives away, with a little of what stands around.
pub(crate) fn leaks(canaries: &[Canary], place: &str, text: &str) -> Vec<String> {
    let leak = |canary: &Canary| {
        let at = text.find(&canary.word)?;
        let begin = text.floor_char_boundary(at.saturating_sub(120));
        let end = text.ceil_char_boundary(at + canary.word.len() + 40);
        Some(format!("{place} gives away {}: …{}…", canary.name, &text[begin..end]))
    };
    canaries.iter().filter_map(leak).collect()
}

/// Which of them stand in a column that is not made for them, or are in none of those that are.
pub(crate) async fn misplaced(canaries: &[Canary], db: &Db) -> Vec<String> {
    let mut faults = Vec::new();
    let mut homeless: Vec<&Canary> = canaries.iter().filter(|canary| !canary.home.is_empty()).collect();
    for (table, column) in columns(db).await {
        let place = format!("{table}.{column}");
        let query = format!("SELECT CAST({column} AS TEXT) AS text FROM {table} WHERE {column} IS NOT NULL");
        let content = texts(db, &query).await.join("\n");
        for canary in canaries.iter().filter(|canary| content.contains(&canary.word)) {
            homeless.retain(|other| other.name != canary.name);
            if !canary.home.contains(&place.as_str()) {
                faults.extend(leaks(std::slice::from_ref(canary), &place, &content));
            }
        }
    }
    faults.extend(homeless.iter().map(|canary| format!("{} was stored nowhere", canary.name)));
    faults
}

/// Every column of every table.
async fn columns(db: &Db) -> Vec<(String, String)> {
    let is_sqlite = texts(db, "SELECT name AS text FROM sqlite_master").await;
    let list = if is_sqlite.is_empty() {
        "SELECT table_name || ' ' || column_name AS text FROM information_schema.columns WHERE table_schema = 'public'"
    } else {
        "SELECT tables.name || ' ' || columns.name AS text FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns \
         WHERE tables.type = 'table'"
    };
    let listed = texts(db, list).await;
    assert!(listed.len() > 100, "these are not all columns: {listed:?}");
    let pair =
        |line: &String| line.split_once(' ').map(|(table, column)| (table.to_owned(), column.to_owned()));
    listed.iter().filter_map(pair).collect()
}

/// One column called `text`; nothing where the store does not know the table.
async fn texts(db: &Db, query: &str) -> Vec<String> {
    #[derive(sea_orm::FromQueryResult)]
    struct Row {
        text: String,
    }
    let rows: Vec<Row> = entities::sql::all(&db.read, query, []).await.unwrap_or_default();
    rows.into_iter().map(|row| row.text).collect()
}
