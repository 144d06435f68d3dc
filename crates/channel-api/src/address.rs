//! Where we may connect to: never into our own network, unless the admin of the inbox allows it, and never to what is no
//! host at all. Asked for every address that a name resolves to, and the connection then goes to exactly those.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Why an address is not connected to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRefused(pub String);

impl std::fmt::Display for AddressRefused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for AddressRefused {}

/// May a connection go there? `private`: the admin allows private networks and this computer itself. What hands out cloud
/// credentials (link-local) is refused in any case.
pub fn may_connect(address: IpAddr, private: bool) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4_ok(v4, private),
        IpAddr::V6(v6) => v6_ok(v6, private),
    }
}

fn v4_ok(ip: Ipv4Addr, private: bool) -> bool {
    let [a, b, c, _] = ip.octets();
    if ip.is_link_local() || ip.is_multicast() || ip.is_broadcast() || a == 0 || a >= 240 {
        return false;
    }
    let shared = a == 100 && (64..128).contains(&b);
    let benchmarks = a == 198 && (b == 18 || b == 19);
    let special = a == 192 && b == 0 && c == 0;
    private || !(ip.is_private() || ip.is_loopback() || shared || benchmarks || special || ip.is_documentation())
}

fn v6_ok(ip: Ipv6Addr, private: bool) -> bool {
    let first = ip.segments()[0];
    let link_local = first & 0xffc0 == 0xfe80;
    if link_local || ip.is_multicast() || ip.is_unspecified() {
        return false;
    }
    // Ways around the rules for IPv4: addresses that hold one (NAT64, 6to4, Teredo, IPv4-compatible).
    let nat64 = first == 0x64 && ip.segments()[1] == 0xff9b;
    let holds_v4 = nat64
        || first == 0x2002
        || (first == 0x2001 && ip.segments()[1] == 0)
        || (ip.segments()[..6] == [0; 6] && !ip.is_loopback());
    if holds_v4 {
        return false;
    }
    let unique_local = first & 0xfe00 == 0xfc00;
    let documentation = first == 0x2001 && ip.segments()[1] == 0xdb8;
    private || !(unique_local || ip.is_loopback() || documentation)
}

/// The addresses of a host that may be connected to. Every one must be allowed: a name that points into both worlds is a
/// trick.
pub(crate) fn allowed(host: &str, found: Vec<SocketAddr>, private: bool) -> Result<Vec<SocketAddr>, AddressRefused> {
    if found.is_empty() {
        return Err(AddressRefused(format!("{host} has no address")));
    }
    match found.iter().find(|address| !may_connect(address.ip(), private)) {
        Some(_) if private => Err(AddressRefused(format!("{host} leads to an address that is never allowed"))),
        Some(_) => Err(AddressRefused(format!("{host} leads into a private network, which this inbox does not allow"))),
        None => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_unless_the_admin_allows_more() {
        let public = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "1.1.1.1", "::ffff:93.184.216.34"];
        let private = [
            "10.1.2.3",
            "192.168.0.1",
            "172.16.5.5",
            "127.0.0.1",
            "::1",
            "fd00::1",
            "100.64.0.1",
            "::ffff:10.0.0.1",
            "198.18.0.1",
        ];
        let never = [
            "169.254.169.254",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "fe80::1",
            "ff02::1",
            "::",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "::ffff:169.254.169.254",
            "::10.0.0.1",
            "2001:0:1::1",
        ];
        for (list, strict, lax) in [(&public[..], true, true), (&private[..], false, true), (&never[..], false, false)] {
            for text in list {
                let ip: IpAddr = text.parse().unwrap();
                assert_eq!((may_connect(ip, false), may_connect(ip, true)), (strict, lax), "{text}");
            }
        }
    }

    #[test]
    fn a_name_with_one_foot_inside_is_refused_as_a_whole() {
        let at = |text: &str| SocketAddr::new(text.parse().unwrap(), 443);
        assert!(allowed("x.test", vec![at("1.1.1.1"), at("10.0.0.1")], false).is_err());
        assert!(allowed("x.test", vec![], true).is_err());
        assert_eq!(allowed("x.test", vec![at("1.1.1.1")], false), Ok(vec![at("1.1.1.1")]));
    }
}
