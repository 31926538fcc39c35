//! Bounded reading of small files that may hold tokens or secrets: their bytes are wiped after use and never quoted.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;
use zeroize::Zeroizing;

use crate::core::{XtraError, file_reason};

/// The largest file that is read. (Some command line tools keep a cache in the same file as their token.)
const LARGEST: u64 = 4 * 1024 * 1024;

/// The buffer of a file whose size is not known.
const SMALL: u64 = 16 * 1024;

/// Why a file gave nothing. The text tells where, and nothing of what is in the file.
#[derive(Debug)]
pub(crate) enum FileError {
    Missing,
    Unreadable(io::Error),
    NotAFile,
    TooLarge,
    NotUnicode,
    Json { line: usize, column: usize, category: Category },
}

impl FileError {
    /// `error`, with the operating system's error when that is what stood in the way.
    pub(crate) fn attached_to(&self, error: XtraError) -> XtraError {
        match self {
            Self::Unreadable(os_error) => error.with_os_error(os_error),
            _ => error,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Unreadable(error) => write!(f, "the file cannot be read ({})", file_reason(error.kind())),
            Self::NotAFile => f.write_str("it is not a regular file"),
            Self::TooLarge => write!(f, "the file is larger than {} MiB", LARGEST / 1024 / 1024),
            Self::NotUnicode => f.write_str("the file is not UTF-8 text"),
            Self::Json { line, column, category } => {
                let what = match category {
                    Category::Data => "a value of the wrong type",
                    Category::Eof => "an end of the file that comes too early",
                    Category::Syntax | Category::Io => "something that is not JSON",
                };
                write!(f, "the file has {what} at line {line}, column {column}")
            }
        }
    }
}

/// The whole of a regular file.
pub(crate) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, FileError> {
    // looked at before it is opened: to open a pipe could wait for ever
    let about = std::fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileError::Missing,
        _ => FileError::Unreadable(error),
    })?;
    if !about.is_file() {
        return Err(FileError::NotAFile);
    }
    if about.len() > LARGEST {
        return Err(FileError::TooLarge);
    }
    let file = File::open(path).map_err(FileError::Unreadable)?;
    read_all(file, about.len())
}

/// All of a file that was `told` to be so long. Some file systems tell no size.
fn read_all(file: impl Read, told: u64) -> Result<Zeroizing<Vec<u8>>, FileError> {
    // one buffer that is large enough: growing would leave copies behind that are not wiped
    let room = told.max(SMALL) + 1;
    let mut content = Zeroizing::new(Vec::with_capacity(usize::try_from(room).map_err(|_| FileError::TooLarge)?));
    let mut bounded = file.take(room);
    bounded.read_to_end(&mut content).map_err(FileError::Unreadable)?;
    // it grew meanwhile: what was read may be half of it
    if bounded.limit() == 0 { Err(FileError::TooLarge) } else { Ok(content) }
}

/// Whether users other than the owner may read the file, as far as the platform tells.
pub(crate) fn is_open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|about| open_to_others(&about))
}

/// The texts of these members of a JSON object, with or without a byte order mark. Empty texts count as absent, and other
/// members are ignored.
pub(crate) fn texts(content: &[u8], members: &[&str]) -> Result<Vec<Option<String>>, FileError> {
    let json = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content);
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let read = Members(members).deserialize(&mut deserializer);
    // the error quotes what it met: only the position may leave
    read.and_then(|texts| deserializer.end().map(|()| texts)).map_err(|error| FileError::Json {
        line: error.line(),
        column: error.column(),
        category: error.classify(),
    })
}

/// Names as a sentence lists them: `` `a`, `b` and `c` ``.
pub(super) fn listed(names: &[&str], last: &str) -> String {
    match names {
        [] => String::new(),
        [name] => format!("`{name}`"),
        [first @ .., name] => {
            let first: Vec<_> = first.iter().map(|name| format!("`{name}`")).collect();
            format!("{} {last} `{name}`", first.join(", "))
        }
    }
}

/// Reads the texts of named members of an object, without a buffer of the others.
struct Members<'m>(&'m [&'m str]);

impl<'de> DeserializeSeed<'de> for Members<'_> {
    type Value = Vec<Option<String>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Members<'_> {
    type Value = Vec<Option<String>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut texts = vec![None; self.0.len()];
        while let Some(name) = map.next_key::<String>()? {
            match self.0.iter().zip(&mut texts).find(|(known, _)| **known == name) {
                // readers do not agree on which of the two counts
                Some((_, Some(_))) => return Err(A::Error::custom("a member that is there twice")),
                Some((_, text)) => *text = Some(map.next_value::<Option<String>>()?),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(texts.into_iter().map(|text| text.flatten().filter(|text| !text.is_empty())).collect())
    }
}

#[cfg(unix)]
fn open_to_others(about: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    about.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn open_to_others(_: &Metadata) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn name(content: &[u8]) -> Result<Option<String>, FileError> {
        texts(content, &["name"]).map(|mut texts| texts.remove(0))
    }

    fn problem(content: &[u8]) -> String {
        name(content).unwrap_err().to_string()
    }

    #[test]
    fn json_is_read_with_and_without_a_byte_order_mark() {
        for content in [&b"{\"name\": \"a\", \"other\": [1]}"[..], b"\xef\xbb\xbf{\"name\": \"a\"}"] {
            assert_eq!(name(content).unwrap().as_deref(), Some("a"));
        }
        for absent in [&b"{\"name\": null}"[..], b"{\"name\": \"\"}", b"{}"] {
            assert_eq!(name(absent).unwrap(), None);
        }
    }

    #[test]
    fn a_json_problem_tells_kind_and_position_and_quotes_nothing() {
        let wrong_type = problem(b"{\n  \"name\": {\"hunter2\": 1}\n}");
        assert!(wrong_type.contains("wrong type at line 2, column"), "{wrong_type}");
        let syntax = problem(b"{\n\n hunter2}");
        assert!(syntax.contains("not JSON at line 3, column 2"), "{syntax}");
        let end = problem(b"{\"name\": \"hunter2");
        assert!(end.contains("comes too early at line 1"), "{end}");
        for text in [
            wrong_type,
            syntax,
            end,
            problem(b"\"hunter2\""),
            problem(b"{\"name\": 12345}"),
            problem(b"{} {}"),
            problem(b"{\"name\": \"\", \"name\": \"hunter2\"}"),
        ] {
            assert!(!text.contains("hunter2") && !text.contains("12345"), "{text}");
        }
    }

    #[test]
    fn a_file_is_read_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        for content in [Vec::new(), vec![b'x'; 10], vec![b'y'; 100_000]] {
            fs::write(&path, &content).unwrap();
            assert_eq!(*read(&path).unwrap(), content);
        }
    }

    #[test]
    fn a_file_that_grows_while_it_is_read_is_not_taken_in_half() {
        let grown = vec![b'x'; 100_001];
        assert!(matches!(read_all(&grown[..], 100_000), Err(FileError::TooLarge)));
        let whole = read_all(&grown[..], 100_001).unwrap();
        assert_eq!((whole.len(), whole.capacity()), (100_001, 100_002), "the buffer has not grown");
    }

    #[test]
    fn what_is_not_a_readable_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        assert!(matches!(read(&path), Err(FileError::Missing)));
        assert!(matches!(read(dir.path()), Err(FileError::NotAFile)));
        fs::write(&path, "x").unwrap();
        assert!(matches!(read(&path.join("below")), Err(FileError::Missing)));
        fs::File::create(&path).unwrap().set_len(LARGEST + 1).unwrap();
        assert!(matches!(read(&path), Err(FileError::TooLarge)));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_tells_no_size_is_read_all_the_same() {
        assert!(!read(Path::new("/proc/self/status")).unwrap().is_empty());
    }

    #[cfg(unix)]
    #[test]
    fn a_file_is_open_to_others_unless_only_the_owner_has_rights() {
        use std::os::unix::fs::PermissionsExt;

        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        fs::write(&path, "x").unwrap();
        for (mode, open) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o601, true)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(is_open_to_others(&path), open, "{mode:o}");
        }
    }
}
