//! A directory of files: what becomes of each kind of entry, and that no snapshot is made of two states.

use std::fs;
use std::sync::Arc;

use xtrasecurity::sources::{Directory, DotenvFile};
use xtrasecurity::{
    Client, ErrorKind, Secrets, XtraError,
    snapshot::{SnapshotSource, Unreadable, UnreadableReason},
};

pub(super) async fn read(directory: Directory) -> Result<Arc<Secrets>, XtraError> {
    Client::new_with_source(directory).read(()).allow_unreadable().await
}

fn pairs(secrets: &Secrets) -> Vec<(&str, &str)> {
    secrets.iter().map(|(name, value)| (name, value.expose())).collect()
}

#[tokio::test]
async fn each_file_is_a_secret_and_one_line_end_is_no_part_of_it_unless_it_is_kept() {
    let dir = tempfile::tempdir().unwrap();
    let files =
        [("CRLF", "a\r\n"), ("EMPTY", ""), ("LF", "a\n"), ("LINES", "a\nb\n\n"), ("ONLY", "\n"), ("PLAIN", "a")];
    files.iter().for_each(|(name, text)| fs::write(dir.path().join(name), text).unwrap());
    let secrets = read(Directory::new(dir.path())).await.unwrap();
    let expected = [("CRLF", "a"), ("EMPTY", ""), ("LF", "a"), ("LINES", "a\nb\n"), ("ONLY", ""), ("PLAIN", "a")];
    assert_eq!((pairs(&secrets), secrets.source()), (expected.to_vec(), SnapshotSource::LocalFile));
    assert_eq!(pairs(&read(Directory::new(dir.path()).keep_line_ends()).await.unwrap()), files);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_no_text_and_no_file_is_unreadable_and_named_and_subdirectories_are_left_out() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let dir = tempfile::tempdir().unwrap();
    let at = |name: &[u8]| dir.path().join(OsStr::from_bytes(name));
    fs::write(at(b"BINARY"), b"hunter2\xff").unwrap();
    fs::write(at(b"NAME\xff"), "hunter2").unwrap();
    fs::write(at(b"TEXT"), "t").unwrap();
    fs::write(at(b".hidden"), "h").unwrap();
    fs::write(at(b"..kept"), "for Kubernetes").unwrap();
    fs::create_dir(at(b"below")).unwrap();
    fs::write(at(b"below/SECRET"), "s").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at(b"SOCKET")).unwrap();

    let client = Client::new_with_source(Directory::new(dir.path()));
    let error = client.read(()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.names().iter().any(|name| name == "BINARY"), "{error}");
    let secrets = client.read(()).allow_unreadable().await.unwrap();
    assert_eq!(pairs(&secrets), [(".hidden", "h"), ("TEXT", "t")]);
    let expected = [
        ("BINARY", UnreadableReason::NotText),
        ("NAME\u{fffd}", UnreadableReason::NotText),
        ("SOCKET", UnreadableReason::NoValue),
    ];
    assert_eq!(secrets.unreadable(), expected.map(|(name, reason)| Unreadable::new(name, reason)));
    assert!(!format!("{error} {secrets:?} {client:?}").contains("hunter2"));
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_followed_and_what_cannot_be_read_is_an_error_and_not_absent() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let (dir, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let at = |name: &str| dir.path().join(name);
    fs::write(elsewhere.path().join("file"), "linked").unwrap();
    symlink(elsewhere.path().join("file"), at("LINK")).unwrap();
    symlink(elsewhere.path(), at("FOLDER")).unwrap();
    assert_eq!(pairs(&read(Directory::new(dir.path())).await.unwrap()), [("LINK", "linked")]);

    fs::write(at("SHUT"), "hunter2").unwrap();
    fs::set_permissions(at("SHUT"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(at("SHUT")).is_err() {
        // not for the superuser
        fails_with(dir.path(), "SHUT: permission denied").await;
    }
    fs::remove_file(at("SHUT")).unwrap();
    symlink("nowhere", at("LOST")).unwrap();
    fails_with(dir.path(), "LOST: the link leads to no file").await;
    fs::remove_file(at("LOST")).unwrap();
    symlink("ROUND", at("ROUND")).unwrap();
    fails_with(dir.path(), "ROUND: ").await;
}

#[cfg(unix)]
async fn fails_with(path: &std::path::Path, expected: &str) {
    let error = read(Directory::new(path)).await.unwrap_err();
    let expected = format!("no secrets from {}: {}/{expected}", path.display(), path.display());
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains(&expected), "{error}");
    assert!(error.hint().is_some() && !error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_an_error_that_says_what_to_do_and_never_no_secrets() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("mount");
    let error = read(Directory::new(&path)).await.unwrap_err();
    let expected = format!("no secrets from {}: there is no such directory. Create it", path.display());
    assert!(error.kind() == ErrorKind::Config && error.to_string().contains(&expected), "{error}");
    fs::write(&path, "a file").unwrap();
    assert!(read(Directory::new(&path)).await.unwrap_err().to_string().contains("it is no directory"));
    let file = Client::new_with_source(DotenvFile::new(dir.path().join(".env")));
    let error = file.read(()).await.unwrap_err().to_string();
    assert!(error.contains(".env: there is no such file. Create it with a line NAME=VALUE"), "{error}");
}

#[tokio::test]
async fn a_directory_is_read_up_to_its_bound_and_a_huge_file_is_not_read_at_all() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("A"), "12345").unwrap();
    fs::write(dir.path().join("B"), "67").unwrap();
    assert_eq!(read(Directory::new(dir.path()).max_bytes(9)).await.unwrap().len(), 2);
    for most in 0..9 {
        let error = read(Directory::new(dir.path()).max_bytes(most)).await.unwrap_err();
        assert!(error.kind() == ErrorKind::TooLarge && error.to_string().contains("max_bytes"), "{error}");
    }
    // a hole of 1 TiB, where the file system has such
    let huge = fs::File::create(dir.path().join("HUGE")).unwrap();
    huge.set_len(1 << 40).or_else(|_| huge.set_len(1 << 30)).unwrap();
    assert_eq!(read(Directory::new(dir.path())).await.unwrap_err().kind(), ErrorKind::TooLarge);
}
