//! The operator's mail relay: where it is, how to be private with it, and how to log in.

use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::outcome::{Fault, Stage};
use crate::http::SetupError;

pub(super) struct Relay {
    host: String,
    port: u16,
    privacy: Privacy,
    credentials: Option<Credentials>,
    hello: ClientId,
}

enum Privacy {
    /// For a relay on the same machine.
    None,
    /// TLS from the first byte.
    Wrapped(TlsParameters),
    StartTls(TlsParameters),
    StartTlsIfOffered(TlsParameters),
}

const BAD_URL: SetupError = SetupError::Url { what: "the mail relay's URL" };

impl Relay {
    pub(super) fn parse(smtp_url: &SecretString, domain: &str) -> Result<Self, SetupError> {
        let url = Url::parse(smtp_url.expose_secret()).map_err(|_| BAD_URL)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(BAD_URL)?.to_owned();
        let tls = || TlsParameters::new(host.clone()).map_err(|_| BAD_URL);
        let wish = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
        let (privacy, usual_port) = match (url.scheme(), wish.as_deref()) {
            ("smtp", None) => (Privacy::None, 25),
            ("smtp", Some("required")) => (Privacy::StartTls(tls()?), 587),
            ("smtp", Some("opportunistic")) => (Privacy::StartTlsIfOffered(tls()?), 587),
            ("smtps", None) => (Privacy::Wrapped(tls()?), 465),
            _ => return Err(BAD_URL),
        };
        let password = url.password().map(decoded);
        Ok(Self {
            port: url.port().unwrap_or(usual_port),
            credentials: password.map(|password| Credentials::new(decoded(url.username()), password)),
            hello: ClientId::Domain(domain.to_owned()),
            host,
            privacy,
        })
    }

    /// Opens a connection, up to the point where a message can be announced.
    pub(super) async fn connect(&self) -> Result<AsyncSmtpConnection, Fault> {
        let unconnected = |error| Fault::at(Stage::Connect, &error);
        let wrapped = match &self.privacy {
            Privacy::Wrapped(tls) => Some(tls.clone()),
            Privacy::None | Privacy::StartTls(_) | Privacy::StartTlsIfOffered(_) => None,
        };
        let place = (self.host.trim_matches(['[', ']']), self.port);
        let opening = AsyncSmtpConnection::connect_tokio1(place, None, &self.hello, wrapped, None);
        let mut connection = opening.await.map_err(unconnected)?;
        match &self.privacy {
            Privacy::StartTls(tls) => {
                connection.starttls(tls.clone(), &self.hello).await.map_err(unconnected)?
            }
            Privacy::StartTlsIfOffered(tls) if connection.can_starttls() => {
                connection.starttls(tls.clone(), &self.hello).await.map_err(unconnected)?;
            }
            Privacy::StartTlsIfOffered(_) | Privacy::Wrapped(_) | Privacy::None => {}
        }
        if let Some(credentials) = &self.credentials {
            let login = connection.auth(DEFAULT_MECHANISMS, credentials).await;
            login.map_err(|error| Fault::at(Stage::Login, &error))?;
        }
        Ok(connection)
    }
}

/// Undoes the percent-encoding of a URL's user or password.
fn decoded(text: &str) -> String {
    // The form decoder does the same but for the plus sign, which means itself here.
    let field = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    url::form_urlencoded::parse(field.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn parse(url: &str) -> Result<Relay, SetupError> {
        crate::http::install_crypto();
        Relay::parse(&SecretString::from(url), "pay.example")
    }

    #[test]
    fn each_scheme_has_its_port_and_its_privacy() {
        assert!(matches!(parse("smtp://relay").unwrap(), Relay { port: 25, privacy: Privacy::None, .. }));
        assert!(matches!(parse("smtp://relay:2525").unwrap(), Relay { port: 2525, .. }));
        let required = parse("smtp://relay?tls=required").unwrap();
        assert!(matches!(required, Relay { port: 587, privacy: Privacy::StartTls(_), .. }));
        let offered = parse("smtp://relay?tls=opportunistic").unwrap();
        assert!(matches!(offered, Relay { port: 587, privacy: Privacy::StartTlsIfOffered(_), .. }));
        assert!(matches!(
            parse("smtps://relay").unwrap(),
            Relay { port: 465, privacy: Privacy::Wrapped(_), .. }
        ));
    }

    #[test]
    fn user_and_password_are_decoded() {
        let relay = parse("smtps://post%40call:p%2Fss+w%3Ard%26x@relay").unwrap();
        let expected = Credentials::new("post@call".to_owned(), "p/ss+w:rd&x".to_owned());
        assert!(relay.credentials == Some(expected));
    }

    #[test]
    fn other_urls_are_refused() {
        for url in
            ["", "relay:25", "http://relay", "smtp://", "smtp://relay?tls=maybe", "smtps://relay?tls=none"]
        {
            assert!(parse(url).is_err(), "{url}");
        }
    }
}
