//! The one HTTP client with which the world calls the product.

use std::time::Duration;

use crate::error::Error;

/// Follows no redirects and knows no proxies: what it sees is what the product said.
pub(crate) fn client() -> Result<reqwest::Client, Error> {
    // A second installation fails, and the first one is the one we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .timeout(Duration::from_secs(30))
        .build()
        .map_err(Error::HttpClient)
}

/// Names the URL that did not answer.
pub(crate) fn unreachable(url: &str) -> impl FnOnce(reqwest::Error) -> Error + use<> {
    let url = url.to_owned();
    move |source| Error::Unreachable { url, source: source.without_url() }
}
