//! The bytes of an upload as they come: bounded, and fingerprinted on the way.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::{Body, BodyDataStream, Bytes};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use futures::{Stream, StreamExt};
use sha2::{Digest, Sha256};

use crate::idempotency::fingerprint_begun;
use crate::json;
use crate::problem::Problem;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Torn {
    #[error("is too large; the rest was not read")]
    TooLarge,
    #[error("ended before its time; send the file again")]
    Broken,
}

struct State {
    digest: Sha256,
    left: usize,
    torn: Option<Torn>,
}

pub(super) struct Upload {
    body: BodyDataStream,
    state: Arc<Mutex<State>>,
}

impl Upload {
    /// # Errors
    /// 413 when the announced length is beyond the bound.
    pub(super) fn begin(parts: &Parts, body: Body, max: usize) -> Result<Self, Problem> {
        let announced = parts.headers.get(header::CONTENT_LENGTH);
        let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
        if announced.is_some_and(|length| length > max) {
            return Err(json::too_large(max));
        }
        let state = State { digest: fingerprint_begun(parts), left: max, torn: None };
        Ok(Self { body: body.into_data_stream(), state: Arc::new(Mutex::new(state)) })
    }

    /// What is still to be read. Ends with an error where the bound is reached.
    pub(super) fn chunks(&mut self) -> impl Stream<Item = Result<Bytes, Torn>> + Send + '_ {
        let state = Arc::clone(&self.state);
        self.body.by_ref().map(move |chunk| {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            let Ok(chunk) = chunk else {
                state.torn = Some(Torn::Broken);
                return Err(Torn::Broken);
            };
            let Some(left) = state.left.checked_sub(chunk.len()) else {
                state.torn = Some(Torn::TooLarge);
                return Err(Torn::TooLarge);
            };
            state.left = left;
            state.digest.update(&chunk);
            Ok(chunk)
        })
    }

    pub(super) fn why_torn(&self) -> String {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .torn
            .map_or_else(|| "cannot be read as CSV beyond this line".to_owned(), |torn| torn.to_string())
    }

    /// Reads what is left and fingerprints the whole.
    ///
    /// # Errors
    /// When the upload ends before its time or is too large.
    pub(super) async fn fingerprint_of_all(&mut self) -> Result<String, Problem> {
        {
            let chunks = self.chunks();
            futures::pin_mut!(chunks);
            while let Some(chunk) = chunks.next().await {
                chunk.map_err(|torn| {
                    Problem::new(StatusCode::BAD_REQUEST, "body_torn", format!("The body {torn}."))
                })?;
            }
        }
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(hex::encode(state.digest.clone().finalize()))
    }
}
