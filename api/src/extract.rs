//! What a request's address says: the id in its path, its query, its page of a list.

use axum::extract::{FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use domain::id::{Id, Kind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::json;
use crate::problem::Problem;
use crate::state::Api;

const PAGE_DEFAULT: u64 = 50;
const PAGE_MAX: u64 = 100;

/// The typed id at the end of a path. One that is not even well-formed names nothing: 404, like any unknown one.
pub(crate) struct PathId<K>(pub(crate) Id<K>);

impl<K: Kind> FromRequestParts<Api> for PathId<K> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let read: Result<Path<String>, _> = Path::from_request_parts(parts, api).await;
        let Path(text) = read.map_err(|_| Problem::not_found())?;
        text.parse().map(Self).map_err(|_| Problem::not_found())
    }
}

/// The query, read strictly: a parameter nobody knows is a typing error.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Api> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Api) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let pairs = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(query.as_bytes()));
        let read = serde_path_to_error::deserialize(pairs).map_err(|error| json::type_fault(&error))?;
        if query.contains("%00") {
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "malformed_request",
                "The query contains NUL.",
            ));
        }
        Ok(Self(read))
    }
}

/// How many rows a page has, within bounds.
pub(crate) fn page_size(limit: Option<u64>) -> Result<u64, Problem> {
    match limit {
        None => Ok(PAGE_DEFAULT),
        Some(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
        Some(_) => Err(Problem::field("limit", format!("must be between 1 and {PAGE_MAX}"))),
    }
}

/// The cursor of a list that is paged by an id.
pub(crate) fn cursor<K: Kind>(text: Option<&str>) -> Result<Option<Id<K>>, Problem> {
    let bad =
        |_| Problem::field("cursor", "is not a cursor of this list; take next_cursor of the page before");
    text.map(str::parse).transpose().map_err(bad)
}

/// The page of a list that is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    /// Rows on a page: 1 to 100, else 50.
    pub(crate) limit: Option<u64>,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

/// One page of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Page<T> {
    pub(crate) data: Vec<T>,
    /// Where the next page begins; `null` on the last.
    pub(crate) next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// Makes a page of rows that were asked for with one more than fits.
    pub(crate) fn of<R>(
        mut rows: Vec<R>,
        size: u64,
        id: impl Fn(&R) -> String,
        view: impl Fn(R) -> T,
    ) -> Self {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let is_last = rows.len() <= size;
        rows.truncate(size);
        let next_cursor = rows.last().filter(|_| !is_last).map(id);
        Self { data: rows.into_iter().map(view).collect(), next_cursor }
    }
}
