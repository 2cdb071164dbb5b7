//! A browser without a screen: cookies, the headers a browser sends, redirects, and forms.

use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, LOCATION, ORIGIN, USER_AGENT};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use url::Url;

use super::PayConfig;
use super::html::{HtmlForm, data_block, forms_in};
use super::jar::Jar;
use crate::error::Error;
use crate::outbound;

const REDIRECTS_MAX: usize = 5;
const BROWSER: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) \
                       Version/18.0 Mobile/15E148 Safari/604.1";

/// What an address answered.
#[derive(Clone, Debug)]
pub struct Page {
    /// Where it came from, after redirects.
    pub url: String,
    /// 200, 404, 410, …
    pub status: u16,
    /// As sent.
    pub headers: HeaderMap,
    /// As sent.
    pub body: String,
}

impl Page {
    /// The body as JSON; `null` when it is not.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or(Value::Null)
    }

    /// What the page tells its payment script.
    ///
    /// # Errors
    /// When there is no such data on it.
    pub fn pay_config(&self) -> Result<PayConfig, Error> {
        let missing =
            |why: String| Error::Missing(format!("{} ({}) cannot be paid on: {why}", self.url, self.status));
        let block =
            data_block(&self.body, "pay-config").ok_or_else(|| missing("it has no pay-config".into()))?;
        serde_json::from_str(block).map_err(|error| missing(error.to_string()))
    }

    /// Every form on the page.
    #[must_use]
    pub fn forms(&self) -> Vec<HtmlForm> {
        forms_in(&self.body)
    }

    /// The form that posts to `action`.
    ///
    /// # Errors
    /// When there is none.
    pub fn form(&self, action: &str) -> Result<HtmlForm, Error> {
        let found = self.forms().into_iter().find(|form| form.action.split('?').next() == Some(action));
        found
            .ok_or_else(|| Error::Missing(format!("{} ({}) has no form for {action}", self.url, self.status)))
    }

    /// Another address on the same site, or relative to this page.
    ///
    /// # Errors
    /// When it is no address.
    pub fn at(&self, address: &str) -> Result<String, Error> {
        let wrong = |_| Error::Missing(format!("{address} is not an address on {}", self.url));
        Ok(Url::parse(&self.url).and_then(|base| base.join(address)).map_err(wrong)?.to_string())
    }

    /// Itself, if it was a success.
    ///
    /// # Errors
    /// [`Error::Answered`] when it was not.
    pub fn expect_success(self, doing: &'static str) -> Result<Self, Error> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        Err(Error::Answered { doing, status: self.status, body: self.body.chars().take(500).collect() })
    }
}

/// A browser with its own cookies.
#[derive(Clone, Debug)]
pub struct Browser {
    client: Client,
    jar: Jar,
}

impl Browser {
    /// A browser that has never been anywhere.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub fn new() -> Result<Self, Error> {
        Ok(Self { client: outbound::client()?, jar: Jar::default() })
    }

    /// The cookies it would send to an address.
    #[must_use]
    pub fn cookies(&self, url: &str) -> Option<String> {
        let path = Url::parse(url).map(|url| url.path().to_owned()).unwrap_or_default();
        self.jar.header(&path)
    }

    /// Goes to an address, following redirects.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn get(&mut self, url: &str) -> Result<Page, Error> {
        let mut page = self.visit(Method::GET, url).await?;
        for _ in 0..REDIRECTS_MAX {
            let Some(location) = page.headers.get(LOCATION).and_then(|value| value.to_str().ok()) else {
                break;
            };
            let next = page.at(location)?;
            page = self.visit(Method::GET, &next).await?;
        }
        Ok(page)
    }

    /// Asks for the head only, as link previews do.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn head(&mut self, url: &str) -> Result<Page, Error> {
        self.visit(Method::HEAD, url).await
    }

    async fn visit(&mut self, method: Method, url: &str) -> Result<Page, Error> {
        let request = self
            .client
            .request(method, url)
            .header(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
            .header("sec-fetch-site", "none")
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document");
        self.send(url, request).await
    }

    /// Posts JSON as a script on the page does.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn post_json(&mut self, url: &str, body: &Value) -> Result<Page, Error> {
        let request = self
            .client
            .post(url)
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/json")
            .header(ORIGIN, origin(url)?)
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "cors")
            .body(body.to_string());
        self.send(url, request).await
    }

    /// Sends a form of `page` as its button does.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn submit(&mut self, page: &Page, form: &HtmlForm) -> Result<Page, Error> {
        let url = page.at(&form.action)?;
        let encoded =
            url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form.fields).finish();
        if form.method == "get" {
            let mut target =
                Url::parse(&url).map_err(|_| Error::Missing(format!("{url} is not an address")))?;
            target.set_query(Some(&encoded));
            return self.get(target.as_str()).await;
        }
        let request = self
            .client
            .post(&url)
            .header(ACCEPT, "text/html,application/xhtml+xml,*/*;q=0.8")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ORIGIN, origin(&url)?)
            .header("sec-fetch-site", "same-origin")
            .header("sec-fetch-mode", "navigate")
            .body(encoded);
        self.send(&url, request).await
    }

    /// What Stripe.js sends: to another site, without our cookies.
    pub(crate) async fn post_to_stripe(
        &self,
        url: &str,
        key: &str,
        account: &str,
        params: &[(String, String)],
    ) -> Result<Page, Error> {
        let mut request = self.client.post(url).bearer_auth(key);
        if !account.is_empty() {
            request = request.header("stripe-account", account);
        }
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish();
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
        read(url, request.send().await).await
    }

    async fn send(&mut self, url: &str, request: RequestBuilder) -> Result<Page, Error> {
        let path = Url::parse(url).map(|url| url.path().to_owned()).unwrap_or_default();
        let mut request = request.header(USER_AGENT, BROWSER);
        if let Some(cookies) = self.jar.header(&path) {
            request = request.header(COOKIE, cookies);
        }
        let page = read(url, request.send().await).await?;
        self.jar.take(&page.headers);
        Ok(page)
    }
}

async fn read(url: &str, sent: Result<reqwest::Response, reqwest::Error>) -> Result<Page, Error> {
    let answer = sent.map_err(outbound::unreachable(url))?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.text().await.map_err(outbound::unreachable(url))?;
    Ok(Page { url: url.to_owned(), status, headers, body })
}

fn origin(url: &str) -> Result<String, Error> {
    let parsed = Url::parse(url).map_err(|_| Error::Missing(format!("{url} is not an address")))?;
    Ok(parsed.origin().ascii_serialization())
}
