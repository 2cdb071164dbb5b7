//! Link scanners: they fetch every link, and some press every button. None of them is the customer.

use reqwest::header::USER_AGENT;
use reqwest::{Client, Method};

use crate::error::Error;
use crate::outbound;
use crate::people::{Browser, Page};

/// How thorough a scanner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scanner {
    /// Asks for the head only, as mail gateways do.
    Head,
    /// Fetches the page, as link previews do.
    Get,
    /// Fetches the page and posts every form on it untouched.
    PostForms,
}

impl Scanner {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Head, Self::Get, Self::PostForms];

    /// Scans a link. Returns every answer, in order.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn scan(self, link: &str) -> Result<Vec<Page>, Error> {
        match self {
            Self::Head => Ok(vec![fetch(Method::HEAD, link).await?]),
            Self::Get => Ok(vec![fetch(Method::GET, link).await?]),
            Self::PostForms => post_forms(link).await,
        }
    }
}

/// Without cookies and without the headers a browser would send.
async fn fetch(method: Method, link: &str) -> Result<Page, Error> {
    let client: Client = outbound::client()?;
    let request = client.request(method, link).header(USER_AGENT, "LinkCheck/2.1 (safe-links scanner)");
    let answer = request.send().await.map_err(outbound::unreachable(link))?;
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.text().await.map_err(outbound::unreachable(link))?;
    Ok(Page { url: link.to_owned(), status, headers, body })
}

/// With a browser's headers and cookies: the scanners that run whole browsers send them, too.
async fn post_forms(link: &str) -> Result<Vec<Page>, Error> {
    let mut browser = Browser::new()?;
    let page = browser.get(link).await?;
    let mut answers = vec![page.clone()];
    for form in page.forms() {
        answers.push(browser.submit(&page, &form).await?);
    }
    Ok(answers)
}
