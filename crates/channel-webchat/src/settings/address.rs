//! Banned network addresses and networks.

// An address, or a network with its prefix length.
pub(super) struct AddressRule {
    net: std::net::IpAddr,
    bits: u32,
}

impl AddressRule {
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let net = address.parse::<std::net::IpAddr>().ok()?.to_canonical();
        let all = if net.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(all);
        (bits <= all).then_some(Self { net, bits })
    }
    pub(super) fn holds(&self, address: std::net::IpAddr) -> bool {
        let left_aligned = |ip: std::net::IpAddr| match ip {
            std::net::IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
            std::net::IpAddr::V6(v6) => v6.to_bits(),
        };
        let address = address.to_canonical();
        let differ = left_aligned(self.net) ^ left_aligned(address);
        self.net.is_ipv4() == address.is_ipv4() && differ.leading_zeros() >= self.bits
    }
}
