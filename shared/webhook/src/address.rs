//! Which IP addresses are public: those of the internet at large, where a webhook may go.
//!
//! The list follows IANA's registries of special-purpose addresses
//! (<https://www.iana.org/assignments/iana-ipv4-special-registry>, `…/iana-ipv6-special-registry`). It is our own because
//! the standard library's `is_global` isn't stable and the published crates for this have one early release each.
//! Of IPv6, only what is given out as unicast (2000::/3) can be public; loopback, link-local, unique local (the metadata
//! service's `fd00:ec2::254` among them), multicast, IPv4-mapped, IPv4-compatible and NAT64 addresses all lie outside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// IPv4 networks that aren't public.
const V4: [(Ipv4Addr, u32); 19] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),        // this network, unspecified
    (Ipv4Addr::new(10, 0, 0, 0), 8),       // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),    // carrier-grade NAT
    (Ipv4Addr::new(127, 0, 0, 0), 8),      // loopback
    (Ipv4Addr::new(168, 63, 129, 16), 32), // Azure's platform service: public by number, answers inside only
    (Ipv4Addr::new(169, 254, 0, 0), 16),   // link-local, metadata services
    (Ipv4Addr::new(172, 16, 0, 0), 12),    // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),     // IETF protocol assignments
    (Ipv4Addr::new(192, 0, 2, 0), 24),     // documentation
    (Ipv4Addr::new(192, 31, 196, 0), 24),  // AS112, DNS only
    (Ipv4Addr::new(192, 52, 193, 0), 24),  // multicast tunnels
    (Ipv4Addr::new(192, 88, 99, 0), 24),   // 6to4 relays, deprecated
    (Ipv4Addr::new(192, 168, 0, 0), 16),   // private
    (Ipv4Addr::new(192, 175, 48, 0), 24),  // AS112, DNS only
    (Ipv4Addr::new(198, 18, 0, 0), 15),    // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24),  // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),   // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),      // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),      // reserved, broadcast
];

/// All that is given out as global unicast.
const UNICAST: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// IPv6 networks in it that aren't public. 6to4 and Teredo carry an IPv4 address, which may be a private one; nobody
/// serves webhooks there, so they are refused as a whole.
const V6: [(Ipv6Addr, u32); 5] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // IETF protocol assignments, Teredo
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4
    (Ipv6Addr::new(0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0), 48), // AS112, DNS only
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Whether an address is one of the internet at large.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !V4.iter().any(|(network, length)| {
            let shift = u32::BITS - length;
            address.to_bits() >> shift == network.to_bits() >> shift
        }),
        IpAddr::V6(address) => {
            let within = |(network, length): &(Ipv6Addr, u32)| {
                let shift = u128::BITS - length;
                address.to_bits() >> shift == network.to_bits() >> shift
            };
            within(&UNICAST) && !V6.iter().any(within)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(public: bool, addresses: &[&str]) {
        for address in addresses {
            assert_eq!(is_public(address.parse().unwrap()), public, "{address}");
        }
    }

    #[test]
    fn hosts_of_the_internet_are_public() {
        check(
            true,
            &[
                "1.1.1.1",
                "8.8.8.8",
                "93.184.215.14",
                "2606:4700::1111",
                "2a00:1450:4001::1",
                "2001:4860::8888",
            ],
        );
    }

    #[test]
    fn the_neighbours_of_every_refused_ipv4_network_are_public() {
        check(
            true,
            &[
                "1.0.0.0",
                "9.255.255.255",
                "11.0.0.0",
                "100.63.255.255",
                "100.128.0.0",
                "126.255.255.255",
                "128.0.0.0",
                "168.63.129.15",
                "168.63.129.17",
                "169.253.255.255",
                "169.255.0.0",
                "172.15.255.255",
                "172.32.0.0",
                "192.0.1.0",
                "192.0.3.0",
                "192.31.195.255",
                "192.52.194.0",
                "192.88.98.255",
                "192.167.255.255",
                "192.169.0.0",
                "192.175.49.0",
                "198.17.255.255",
                "198.20.0.0",
                "198.51.99.255",
                "198.51.101.0",
                "203.0.112.255",
                "203.0.114.0",
                "223.255.255.255",
            ],
        );
    }

    #[test]
    fn first_and_last_of_every_special_ipv4_network_are_refused() {
        check(
            false,
            &[
                "0.0.0.0",
                "0.255.255.255",
                "10.0.0.0",
                "10.255.255.255",
                "100.64.0.0",
                "100.127.255.255",
                "100.100.100.200",
                "127.0.0.0",
                "127.0.0.1",
                "127.255.255.255",
                "168.63.129.16",
                "169.254.0.0",
                "169.254.169.254",
                "169.254.170.2",
                "169.254.255.255",
                "172.16.0.0",
                "172.31.255.255",
                "192.0.0.0",
                "192.0.0.192",
                "192.0.0.255",
                "192.0.2.0",
                "192.0.2.255",
                "192.31.196.1",
                "192.52.193.1",
                "192.88.99.1",
                "192.168.0.0",
                "192.168.255.255",
                "192.175.48.1",
                "198.18.0.0",
                "198.19.255.255",
                "198.51.100.0",
                "198.51.100.255",
                "203.0.113.0",
                "203.0.113.255",
                "224.0.0.0",
                "239.255.255.255",
                "240.0.0.0",
                "255.255.255.254",
                "255.255.255.255",
            ],
        );
    }

    #[test]
    fn ipv6_outside_of_global_unicast_is_refused() {
        check(
            false,
            &[
                "::",
                "::1",
                "100::1",
                "1fff:ffff::1",
                "4000::1",
                "5f00::1",
                "fc00::1",
                "fd00:ec2::254",
                "fdff:ffff::1",
                "fe80::1",
                "fe80::a9fe:a9fe",
                "febf::1",
                "fec0::1",
                "ff02::1",
                "ff0e::1",
            ],
        );
    }

    #[test]
    fn special_networks_in_global_unicast_are_refused() {
        check(
            false,
            &["2001::1", "2001:1ff:ffff::1", "2001:db8::1", "2001:db8:ffff::1", "3fff::1", "3fff:fff::1"],
        );
        check(false, &["2620:4f:8000::1"]);
        check(
            true,
            &["2001:200::1", "2001:db7::1", "2001:db9::1", "3fff:1000::1", "2620:4f:8001::1", "2003::1"],
        );
    }

    #[test]
    fn an_ipv4_address_does_not_get_through_in_ipv6_dress() {
        for inner in ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1"] {
            let bits = u128::from(inner.parse::<Ipv4Addr>().unwrap().to_bits());
            for (form, prefix, shift) in [
                ("mapped", 0xffff << 32, 0),
                ("compatible", 0, 0),
                ("NAT64", 0x0064_ff9b << 96, 0),
                ("local NAT64", 0x0064_ff9b_0001 << 80, 0),
                ("6to4", 0x2002 << 112, 80),
                ("Teredo server", 0x2001 << 112, 64),
                ("translated", 0xffff_0000 << 32, 0),
            ] {
                let address = Ipv6Addr::from_bits(prefix | bits << shift);
                assert!(!is_public(address.into()), "{inner} {form}: {address}");
            }
            // Teredo hides the client's address by inverting it.
            let teredo = Ipv6Addr::from_bits(0x2001 << 112 | (bits ^ 0xffff_ffff));
            assert!(!is_public(teredo.into()), "{teredo}");
        }
    }
}
