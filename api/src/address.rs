//! Whose address a request comes from: the peer's, unless the peer is a proxy of ours; then what that proxy wrote.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// Every proxy appends the address it was called from, so the list is read from its end: past our own proxies stands
/// what the last of them saw. What stands before that, anybody may have written.
pub(crate) fn client(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    let mut nearest =
        peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| peer.ip().to_canonical());
    let is_ours = |address: &IpAddr| trusted.iter().any(|net| net.contains(address));
    let lines: Vec<&str> =
        headers.get_all(FORWARDED_FOR).iter().map(|line| line.to_str().unwrap_or_default()).collect();
    for hop in lines.iter().rev().flat_map(|line| line.rsplit(',')) {
        if !is_ours(&nearest) {
            break;
        }
        let Some(address) = address(hop.trim()) else { break };
        nearest = address;
    }
    nearest
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::7` or `[2001:db8::7]:4711`.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse::<IpAddr>().ok().or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    parsed.map(|address| address.to_canonical())
}

/// What shares a limit: an IPv4 address, or the /64 that one household or one machine is given of IPv6.
pub(crate) fn block(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn seen(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut extensions = Extensions::new();
        let peer: IpAddr = peer.parse().unwrap();
        extensions.insert(ConnectInfo(SocketAddr::new(peer, 4_711)));
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let trusted: Vec<IpNet> = trusted.iter().map(|net| net.parse().unwrap()).collect();
        client(&extensions, &headers, &trusted).to_string()
    }

    #[test]
    fn nobodys_word_is_taken_for_it_unless_it_is_a_proxy_of_ours() {
        assert_eq!(seen("198.51.100.1", &["203.0.113.7"], &[]), "198.51.100.1");
        assert_eq!(seen("198.51.100.1", &["203.0.113.7"], &["10.0.0.0/8"]), "198.51.100.1");
        assert_eq!(seen("10.0.0.9", &["203.0.113.7"], &["10.0.0.0/8"]), "203.0.113.7");
        assert_eq!(seen("::ffff:10.0.0.9", &["203.0.113.7"], &["10.0.0.0/8"]), "203.0.113.7");
    }

    #[test]
    fn what_a_client_wrote_itself_into_the_list_is_never_reached() {
        let ours = ["10.0.0.0/8", "fd00::/8"];
        assert_eq!(seen("10.0.0.9", &["1.2.3.4, 203.0.113.7"], &ours), "203.0.113.7");
        assert_eq!(seen("10.0.0.9", &["1.2.3.4", "203.0.113.7, 10.0.0.8", "fd00::1"], &ours), "203.0.113.7");
        assert_eq!(seen("10.0.0.9", &["1.2.3.4, nonsense, 10.0.0.8"], &ours), "10.0.0.8");
        assert_eq!(seen("10.0.0.9", &[], &ours), "10.0.0.9");
        assert_eq!(seen("10.0.0.9", &["10.0.0.7, 10.0.0.8"], &ours), "10.0.0.7");
    }

    #[test]
    fn ports_and_brackets_are_read_and_an_ipv6_network_shares_its_limit() {
        let ours = ["10.0.0.0/8"];
        assert_eq!(seen("10.0.0.9", &["203.0.113.7:4711"], &ours), "203.0.113.7");
        assert_eq!(seen("10.0.0.9", &["[2001:db8::7]:4711"], &ours), "2001:db8::7");
        assert_eq!(seen("10.0.0.9", &["[2001:db8::7]"], &ours), "2001:db8::7");
        assert_eq!(block("2001:db8:1:2:3:4:5:6".parse().unwrap()), "2001:db8:1:2::");
        assert_eq!(block("203.0.113.7".parse().unwrap()), "203.0.113.7");
    }
}
