//! What a key, a certificate or a token tells of itself, for reports.
//!
//! Not here: anything secret. Whatever stands here is printed.

/// What can be told.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Detail {
    /// `rsa`, `ec`, `ed25519`.
    Kind,
    /// The curve of an `ec` key.
    Curve,
    /// Size of a key.
    Bits,
    /// `yes` or `no`: whether a private key needs a passphrase.
    Encrypted,
    /// The cipher it is encrypted with.
    Cipher,
    /// SHA-256 over the SubjectPublicKeyInfo (RFC 5280) in DER, as `sha256:` and hexadecimal digits.
    PublicKey,
    /// Whom a certificate is for.
    Subject,
    /// Who issued a certificate or token.
    Issuer,
    /// The end of a certificate.
    NotAfter,
    /// The algorithm of a token (RFC 7518).
    Algorithm,
    /// The end of a token.
    Expires,
    /// Of a private key: the certificate for it in the same scan.
    Certificate,
    /// Of a certificate: the private key for it in the same scan.
    Key,
}

impl Detail {
    /// The name in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Curve => "curve",
            Self::Bits => "bits",
            Self::Encrypted => "encrypted",
            Self::Cipher => "cipher",
            Self::PublicKey => "public_key",
            Self::Subject => "subject",
            Self::Issuer => "issuer",
            Self::NotAfter => "not_after",
            Self::Algorithm => "algorithm",
            Self::Expires => "expires",
            Self::Certificate => "certificate",
            Self::Key => "key",
        }
    }
}

/// Details in the order in which they are told.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Details(Vec<(Detail, String)>);

impl Details {
    /// Adds what is known.
    pub fn add(&mut self, detail: Detail, text: Option<String>) {
        self.0.extend(text.map(|it| (detail, it)));
    }

    /// What is told of this.
    pub fn get(&self, detail: Detail) -> Option<&str> {
        let found = self.0.iter().find(|it| it.0 == detail);
        found.map(|it| it.1.as_str())
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (Detail, &str)> {
        self.0.iter().map(|it| (it.0, it.1.as_str()))
    }

    /// Whether nothing is told.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is a private key that needs a passphrase.
    pub fn is_encrypted(&self) -> bool {
        self.get(Detail::Encrypted) == Some("yes")
    }

    /// Whether it is a token that anybody can write (RFC 7518, section 3.6).
    pub fn is_unsigned(&self) -> bool {
        let algorithm = self.get(Detail::Algorithm);
        algorithm.is_some_and(|it| it.eq_ignore_ascii_case("none"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_answer_for_what_they_are_about() {
        let mut details = Details::default();
        assert!(details.is_empty() && !details.is_encrypted() && !details.is_unsigned());
        details.add(Detail::Bits, None);
        details.add(Detail::Encrypted, Some("yes".to_owned()));
        details.add(Detail::Algorithm, Some("None".to_owned()));
        assert!(details.is_encrypted() && details.is_unsigned());
        let names: Vec<_> = details.iter().map(|it| it.0.name()).collect();
        assert_eq!(names, ["encrypted", "algorithm"]);
    }
}
