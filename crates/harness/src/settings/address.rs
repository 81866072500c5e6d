//! `host:port`, as operators write it.

use std::fmt;
use std::str::FromStr;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    /// Host name or IP address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// An address that cannot be read: the text, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressError {
    text: String,
    why: &'static str,
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        let wrong = |why| AddressError { text: text.to_owned(), why };
        if text.contains("://") {
            return Err(wrong("name no protocol before it; --security-protocol says how to speak"));
        }
        let (host, port) = if let Some(rest) = text.strip_prefix('[') {
            rest.split_once("]:")
                .ok_or_else(|| wrong("after [ADDRESS] comes a colon and a port"))?
        } else {
            match text.rsplit_once(':') {
                Some((host, _)) if host.contains(':') => {
                    return Err(wrong("an IPv6 address stands in brackets: [::1]:9092"));
                }
                Some(parts) => parts,
                None => return Err(wrong("the port is missing, as in localhost:9092")),
            }
        };
        if host.is_empty() {
            return Err(wrong("the host is missing, as in localhost:9092"));
        }
        if host.contains(char::is_whitespace) {
            return Err(wrong("a host has no spaces"));
        }
        match port.parse() {
            Ok(port) if port > 0 => Ok(Self { host: host.to_owned(), port }),
            _ => Err(wrong("the port is a number from 1 to 65535")),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not an address: {}", self.text, self.why)
    }
}

impl std::error::Error for AddressError {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn addresses_read_and_show_themselves() {
        for text in ["localhost:9092", "10.0.0.1:1", "[::1]:65535", "a-b.example:9093"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        let address: Address = " [fe80::1]:9092 ".parse().unwrap();
        assert_eq!((address.host.as_str(), address.port), ("fe80::1", 9092));
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said() {
        for (text, why) in [
            ("localhost", "port is missing"),
            ("", "port is missing"),
            (":9092", "host is missing"),
            ("localhost:", "1 to 65535"),
            ("localhost:0", "1 to 65535"),
            ("localhost:65536", "1 to 65535"),
            ("localhost:kafka", "1 to 65535"),
            ("::1:9092", "brackets"),
            ("[::1]", "colon and a port"),
            ("SASL_SSL://h:9092", "no protocol"),
            ("my host:9092", "no spaces"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(why) && error.contains(&format!("`{text}`")), "{error}");
        }
    }
}
