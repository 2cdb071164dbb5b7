//! Stripe's list calls: newest first, filtered by creation time, paged by id.

use serde_json::{Value, json};

use super::errors::StripeError;
use super::form::Form;

/// `created`, `limit`, `starting_after` and `ending_before` of a list call.
#[derive(Debug)]
pub(crate) struct Page {
    limit: usize,
    starting_after: Option<String>,
    ending_before: Option<String>,
    from_s: i64,
    until_s: i64,
}

impl Page {
    pub(crate) fn read(form: &Form) -> Result<Self, StripeError> {
        let limit = form.integer("limit")?.unwrap_or(10);
        let limit =
            usize::try_from(limit).ok().filter(|limit| (1..=100).contains(limit)).ok_or_else(|| {
                StripeError::invalid("limit", "This value must be between 1 and 100.")
                    .coded("parameter_invalid_integer")
            })?;
        let (from_s, until_s) = created(form)?;
        Ok(Self {
            limit,
            starting_after: form.text("starting_after").map(str::to_owned),
            ending_before: form.text("ending_before").map(str::to_owned),
            from_s,
            until_s,
        })
    }

    pub(crate) fn admits(&self, created_s: i64) -> bool {
        (self.from_s..=self.until_s).contains(&created_s)
    }

    /// Cuts one page out of `newest_first`, which holds objects with an `id`.
    pub(crate) fn cut(&self, newest_first: Vec<Value>, url: &str) -> Value {
        let place = |id: &String| newest_first.iter().position(|object| object["id"] == json!(id));
        let (start, end) = match (&self.starting_after, &self.ending_before) {
            (Some(id), _) => (place(id).map_or(newest_first.len(), |place| place + 1), newest_first.len()),
            (None, Some(id)) => {
                let end = place(id).unwrap_or(0);
                (end.saturating_sub(self.limit), end)
            }
            (None, None) => (0, newest_first.len()),
        };
        let page: Vec<Value> = newest_first[start..end].iter().take(self.limit).cloned().collect();
        let has_more = match self.ending_before {
            Some(_) => start > 0,
            None => start + page.len() < newest_first.len(),
        };
        json!({ "object": "list", "data": page, "has_more": has_more, "url": url })
    }
}

fn created(form: &Form) -> Result<(i64, i64), StripeError> {
    if !form.has("created") {
        return Ok((i64::MIN, i64::MAX));
    }
    let number = |text: &str| {
        text.parse::<i64>()
            .map_err(|_| StripeError::invalid("created", &format!("Invalid timestamp: {text}")))
    };
    if let Some(exact) = form.text("created") {
        let exact = number(exact)?;
        return Ok((exact, exact));
    }
    let bound = |name: &str| form.at(&["created", name]).map(number).transpose();
    let after = bound("gt")?.map(|bound| bound.saturating_add(1));
    let before = bound("lt")?.map(|bound| bound.saturating_sub(1));
    let from = bound("gte")?.into_iter().chain(after).max().unwrap_or(i64::MIN);
    let until = bound("lte")?.into_iter().chain(before).min().unwrap_or(i64::MAX);
    Ok((from, until))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use serde_json::{Value, json};

    use super::Page;
    use crate::stripe::form::Form;

    fn page(query: &str) -> Page {
        Page::read(&Form::parse(query.as_bytes()).unwrap()).unwrap()
    }

    fn ids(list: &Value) -> Vec<&str> {
        list["data"].as_array().unwrap().iter().map(|object| object["id"].as_str().unwrap()).collect()
    }

    #[test]
    fn pages_follow_one_another_without_gap_or_overlap() {
        let all = || ["e", "d", "c", "b", "a"].map(|id| json!({ "id": id })).to_vec();
        let first = page("limit=2").cut(all(), "/v1/events");
        assert_eq!((ids(&first), &first["has_more"]), (vec!["e", "d"], &json!(true)));
        let last = page("limit=3&starting_after=d").cut(all(), "/v1/events");
        assert_eq!((ids(&last), &last["has_more"]), (vec!["c", "b", "a"], &json!(false)));
        let back = page("limit=2&ending_before=b").cut(all(), "/v1/events");
        assert_eq!((ids(&back), &back["has_more"]), (vec!["d", "c"], &json!(true)));
    }

    #[test]
    fn the_creation_filter_knows_all_four_bounds_and_the_exact_time() {
        assert!(page("created[gte]=5").admits(5) && !page("created[gt]=5").admits(5));
        assert!(page("created[lte]=5").admits(5) && !page("created[lt]=5").admits(5));
        assert!(page("created=5").admits(5) && !page("created=5").admits(6));
    }

    #[test]
    fn a_limit_beyond_a_hundred_is_refused() {
        assert!(Page::read(&Form::parse(b"limit=101").unwrap()).is_err());
        assert!(Page::read(&Form::parse(b"limit=0").unwrap()).is_err());
    }
}
