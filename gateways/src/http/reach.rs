//! Which addresses a client may connect to. A URL that a merchant wrote must not lead into our own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// URLs that the operator configured, and everything on a machine of one's own.
    Anywhere,
    /// URLs that merchants configured: https, and public addresses only.
    PublicOnly,
}

impl Reach {
    pub(super) fn limit(self, builder: reqwest::ClientBuilder) -> reqwest::ClientBuilder {
        match self {
            Self::Anywhere => builder,
            Self::PublicOnly => builder.https_only(true).dns_resolver(Arc::new(PublicNames)),
        }
    }

    /// Whether a URL may be asked at all. Names are checked again when they are resolved, each time they are:
    /// a name may point elsewhere by then. An address in the URL is never resolved, so it is checked here.
    #[must_use]
    pub fn permits(self, url: &Url) -> bool {
        let has_credentials = !url.username().is_empty() || url.password().is_some();
        match self {
            Self::Anywhere => matches!(url.scheme(), "http" | "https") && url.host().is_some(),
            Self::PublicOnly => url.scheme() == "https" && !has_credentials && host_is_public(url.host()),
        }
    }
}

fn host_is_public(host: Option<Host<&str>>) -> bool {
    match host {
        None => false,
        Some(Host::Domain(_)) => true,
        Some(Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
    }
}

/// Resolves names to public addresses; a name with one private address among them is refused as a whole.
struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if found.iter().any(|address| !is_public(address.ip())) {
                return Err("the name leads to an address that is not public".into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => is_public_v6(address),
        },
    }
}

/// Everything but the special-purpose blocks of the IANA IPv4 registry.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let shared = a == 100 && (64..128).contains(&b);
    let protocol = a == 192 && b == 0 && c == 0;
    let benchmark = a == 198 && (18..20).contains(&b);
    let relay = a == 192 && b == 88 && c == 99;
    let special = a == 0 || a >= 224 || shared || protocol || benchmark || relay;
    !(special
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation())
}

/// Global unicast (2000::/3) without the blocks in it that are for documentation or wrap other addresses.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let global = first & 0xe000 == 0x2000;
    let protocol = first == 0x2001 && second < 0x0200;
    let documentation = (first == 0x2001 && second == 0x0db8) || (first == 0x3fff && second < 0x1000);
    let wraps_v4 = first == 0x2002;
    global && !(protocol || documentation || wraps_v4)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn permitted(url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| Reach::PublicOnly.permits(&url))
    }

    #[test]
    fn addresses_inside_are_refused_however_they_are_written() {
        let inside = [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://0.0.0.0/",
            "https://10.0.0.1/",
            "https://172.16.0.1/",
            "https://192.168.1.1/",
            "https://169.254.169.254/latest",
            "https://100.64.0.1/",
            "https://192.0.0.8/",
            "https://198.18.0.1/",
            "https://203.0.113.9/",
            "https://224.0.0.1/",
            "https://255.255.255.255/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fc00::1]/",
            "https://[fe80::1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://[2001:db8::1]/",
            "https://[2001::1]/",
        ];
        for url in inside {
            assert!(!permitted(url), "{url}");
        }
    }

    #[test]
    fn only_plain_https_without_credentials_is_permitted() {
        for url in [
            "http://example.com/",
            "ftp://example.com/",
            "https://user@example.com/",
            "https://u:p@example.com/",
        ] {
            assert!(!permitted(url), "{url}");
        }
        for url in ["https://example.com/hook?x=1", "https://93.184.216.34/", "https://[2606:2800:220:1::1]/"]
        {
            assert!(permitted(url), "{url}");
        }
    }

    #[test]
    fn the_operators_own_urls_may_stay_inside() {
        assert!(Reach::Anywhere.permits(&Url::parse("http://127.0.0.1:9000/").unwrap()));
        assert!(!Reach::Anywhere.permits(&Url::parse("file:///etc/passwd").unwrap()));
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_when_it_is_resolved() {
        let refused = PublicNames.resolve("localhost".parse().unwrap()).await;
        assert!(refused.is_err());
    }
}
