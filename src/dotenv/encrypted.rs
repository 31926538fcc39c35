//! The recognition of files of secrets that a tool has encrypted: their ciphertext would be taken for values.

use std::fmt;

/// A tool that encrypts files of secrets, or the values in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum EncryptedBy {
    /// sops, which encrypts values.
    Sops,
    /// dotenvx, which encrypts values.
    Dotenvx,
    /// Ansible Vault, which encrypts files.
    AnsibleVault,
    /// age, which encrypts files.
    Age,
    /// GnuPG and others of OpenPGP, which encrypt files.
    OpenPgp,
    /// git-crypt, which encrypts files.
    GitCrypt,
}

impl EncryptedBy {
    /// The tool whose ciphertext a value is. What only begins so is somebody's value.
    #[must_use]
    pub fn of_value(value: &str) -> Option<Self> {
        if value.starts_with("ENC[AES256_GCM,data:") && value.ends_with(']') {
            return Some(Self::Sops);
        }
        // a public key, an initialization vector and a tag at the least, in base64
        const LEAST: usize = 128;
        let of_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        value
            .strip_prefix("encrypted:")
            .filter(|text| text.len() >= LEAST && text.bytes().all(of_base64))
            .map(|_| Self::Dotenvx)
    }

    /// The tool that has encrypted a file as a whole.
    #[must_use]
    pub fn of_file(content: &[u8]) -> Option<Self> {
        const STARTS: [(&[u8], EncryptedBy); 5] = [
            (b"$ANSIBLE_VAULT;", EncryptedBy::AnsibleVault),
            (b"-----BEGIN AGE ENCRYPTED FILE-----", EncryptedBy::Age),
            (b"age-encryption.org/v1\n", EncryptedBy::Age),
            (b"-----BEGIN PGP MESSAGE-----", EncryptedBy::OpenPgp),
            (b"\0GITCRYPT\0", EncryptedBy::GitCrypt),
        ];
        let content = content.trim_ascii_start();
        STARTS.iter().find(|(start, _)| content.starts_with(start)).map(|(_, tool)| *tool)
    }

    /// The command that decrypts such a file, with FILE in the place of its name.
    #[must_use]
    pub fn decrypting_command(self) -> &'static str {
        match self {
            Self::Sops => "sops decrypt FILE",
            Self::Dotenvx => "dotenvx decrypt --stdout -f FILE",
            Self::AnsibleVault => "ansible-vault view FILE",
            Self::Age => "age --decrypt FILE",
            Self::OpenPgp => "gpg --decrypt FILE",
            Self::GitCrypt => "git-crypt unlock",
        }
    }
}

impl fmt::Display for EncryptedBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sops => "sops",
            Self::Dotenvx => "dotenvx",
            Self::AnsibleVault => "ansible-vault",
            Self::Age => "age",
            Self::OpenPgp => "OpenPGP",
            Self::GitCrypt => "git-crypt",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ciphertext_is_told_from_values_that_only_begin_so() {
        let sops = "ENC[AES256_GCM,data:x8Yb,iv:3+qa=,tag:kg==,type:str]";
        assert_eq!(EncryptedBy::of_value(sops), Some(EncryptedBy::Sops));
        let dotenvx = format!("encrypted:B{}=", "a+/9".repeat(40));
        assert_eq!(EncryptedBy::of_value(&dotenvx), Some(EncryptedBy::Dotenvx));
        for value in ["", "ENC[x]", "encrypted:yes", "encrypted: see the wiki", "xENC[AES256_GCM,data:]"] {
            assert_eq!(EncryptedBy::of_value(value), None, "{value}");
        }
    }

    #[test]
    fn a_file_that_is_encrypted_as_a_whole_is_known_by_its_start() {
        for (content, tool) in [
            ("$ANSIBLE_VAULT;1.1;AES256\n3132", Some(EncryptedBy::AnsibleVault)),
            ("\n-----BEGIN AGE ENCRYPTED FILE-----\n", Some(EncryptedBy::Age)),
            ("age-encryption.org/v1\n-> X25519", Some(EncryptedBy::Age)),
            ("-----BEGIN PGP MESSAGE-----\n\nhQE", Some(EncryptedBy::OpenPgp)),
            ("\0GITCRYPT\0\u{1}", Some(EncryptedBy::GitCrypt)),
            ("A=-----BEGIN PGP MESSAGE-----", None),
            ("", None),
        ] {
            assert_eq!(EncryptedBy::of_file(content.as_bytes()), tool, "{content:?}");
        }
    }
}
