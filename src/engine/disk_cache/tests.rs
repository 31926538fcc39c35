//! What becomes of copies: the rules, and the files that are not what they should be.

#[cfg(unix)]
mod unix;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use super::contents::tests::secrets;
use super::*;
use crate::core::UnreadableReason;

const HOUR: Duration = Duration::from_secs(3600);

fn at(hours: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs_f64(1_700_000_000.0 + hours * 3600.0)
}

/// A directory that does not exist yet, and copies in it under one key.
struct Scene {
    dir: tempfile::TempDir,
    offline: Offline,
}

impl Scene {
    fn new() -> Self {
        Self::with(|options| options)
    }

    fn with(change: impl FnOnce(OfflineOptions) -> OfflineOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = OfflineOptions::new(dir.path().join("a").join("copies"));
        Self { offline: Offline::new(change(options)), dir }
    }

    fn slot_of(&self, token: &str, scope: &str) -> Slot {
        self.offline.slot(Some(token.into()), "service", "https://host.example/api", scope.as_bytes()).unwrap()
    }

    fn slot(&self) -> Slot {
        self.slot_of("token", "production")
    }

    fn keep(&self, pairs: &[(&str, &str)], asked: SystemTime) -> Result<Kept, Problem> {
        self.offline.shelf.keep(&self.slot().0, &secrets(pairs, Vec::new()), &[], asked)
    }

    fn find(&self, now: SystemTime) -> Result<Vec<(String, String)>, Problem> {
        self.find_in(&self.slot(), now)
    }

    fn find_in(&self, slot: &Slot, now: SystemTime) -> Result<Vec<(String, String)>, Problem> {
        let saved = self.offline.shelf.find(&slot.0, now)?;
        Ok(saved.values.iter().map(|(name, value)| (name.to_owned(), value.expose().to_owned())).collect())
    }

    fn folder(&self) -> PathBuf {
        self.offline.shelf.options.directory.clone()
    }

    /// The one file that there is.
    fn file(&self) -> PathBuf {
        let files = files(&self.folder());
        assert_eq!(files.len(), 1, "{files:?}");
        self.folder().join(&files[0])
    }
}

fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn one() -> Result<Vec<(String, String)>, Problem> {
    Ok(vec![("A".to_owned(), "hunter2".to_owned())])
}

const ONE: &[(&str, &str)] = &[("A", "hunter2")];

#[test]
fn what_was_kept_is_found_with_its_age_and_what_could_not_be_read() {
    let scene = Scene::new();
    let hidden = vec![Unreadable::new("B", UnreadableReason::Masked)];
    let kept = scene.offline.shelf.keep(&scene.slot().0, &secrets(ONE, hidden.clone()), &[], at(0.0));
    assert_eq!(kept, Ok(Kept::Written));
    assert_eq!(scene.find(at(2.0)), one());
    let saved = scene.offline.shelf.find(&scene.slot().0, at(2.0)).ok().unwrap();
    assert_eq!((saved.age, saved.unreadable), (2 * HOUR, hidden));
}

#[test]
fn the_name_and_the_bytes_of_a_file_show_nothing_of_what_is_in_it() {
    let scene = Scene::new();
    scene.keep(ONE, at(0.0)).unwrap();
    let file = scene.file();
    let name = file.file_stem().unwrap().to_str().unwrap();
    assert!(name.len() == 40 && name.bytes().all(|byte| byte.is_ascii_hexdigit()), "{name}");
    let bytes = fs::read(&file).unwrap();
    for text in ["hunter2", "token", "production", "service", "root"] {
        assert!(!bytes.windows(text.len()).any(|window| window == text.as_bytes()), "{text}");
    }
}

#[test]
fn another_token_scope_root_or_service_finds_nothing_and_cannot_open_a_renamed_file() {
    let scene = Scene::new();
    scene.keep(ONE, at(0.0)).unwrap();
    let slot = |token: &str, service: &str, root: &str, key: &str| {
        scene.offline.slot(Some(token.into()), service, root, key.as_bytes()).unwrap()
    };
    for other in [
        slot("other", "service", "https://host.example/api", "production"),
        slot("token", "service", "https://host.example/api", "staging"),
        slot("token", "service", "https://other/api", "production"),
        slot("token", "other", "https://host.example/api", "production"),
        slot("token", "servic", "ehttps://host.example/api", "production"),
    ] {
        assert_eq!(scene.find_in(&other, at(0.0)), Err(Problem::Absent));
        let renamed = scene.folder().join(format!("{}.copy", other.0.name));
        fs::copy(scene.file(), &renamed).unwrap();
        #[cfg(unix)]
        set_mode(&renamed, 0o600);
        assert_eq!(scene.find_in(&other, at(0.0)), Err(Problem::Unopened));
        fs::remove_file(renamed).unwrap();
    }
    assert_eq!(scene.find(at(0.0)), one());
}

#[test]
fn an_explicit_key_opens_what_any_token_saved_under_it_and_nothing_else_does() {
    let key = OfflineKey::new([3; 32]).unwrap();
    let scene = Scene::with(|options| options.key(key.clone()));
    scene.keep(ONE, at(0.0)).unwrap();
    assert_eq!(scene.find_in(&scene.slot_of("another", "production"), at(0.0)), one());
    let directory = scene.folder();
    for other in [
        Offline::new(OfflineOptions::new(&directory).key(OfflineKey::new([4; 32]).unwrap())),
        Offline::new(OfflineOptions::new(&directory)),
    ] {
        let slot = other.slot(Some("token".into()), "service", "https://host.example/api", b"production").unwrap();
        assert!(matches!(other.shelf.find(&slot.0, at(0.0)), Err(Problem::Absent)));
    }
}

#[test]
fn without_a_key_or_a_lasting_token_there_is_no_place_for_a_copy() {
    let scene = Scene::new();
    assert_eq!(scene.offline.slot(None, "service", "", b"").err(), Some(Problem::NoKey));
}

#[test]
fn a_copy_is_written_when_the_secrets_change_or_a_24th_of_its_time_is_over_and_not_before() {
    let scene = Scene::new();
    assert_eq!(scene.keep(ONE, at(0.0)), Ok(Kept::Written));
    let before = fs::read(scene.file()).unwrap();
    assert_eq!(scene.keep(ONE, at(0.99)), Ok(Kept::Same));
    assert_eq!(fs::read(scene.file()).unwrap(), before);
    assert_eq!(scene.keep(&[("A", "other")], at(0.99)), Ok(Kept::Written));
    assert_eq!(scene.keep(&[("A", "other")], at(1.98)), Ok(Kept::Same));
    assert_eq!(scene.keep(&[("A", "other")], at(1.99)), Ok(Kept::Written));
    // another process allows less
    let strict = Offline::new(OfflineOptions::new(scene.folder()).max_age(2 * HOUR));
    assert_eq!(
        strict.shelf.keep(&scene.slot().0, &secrets(&[("A", "other")], Vec::new()), &[], at(1.99)),
        Ok(Kept::Written)
    );
    assert_eq!(scene.find(at(3.98)).unwrap().len(), 1);
    assert!(matches!(scene.find(at(3.99)), Err(Problem::TooOld(_))), "what the writer allowed counts");
}

#[test]
fn what_was_asked_for_earlier_does_not_replace_what_was_asked_for_later() {
    let scene = Scene::new();
    scene.keep(ONE, at(1.0)).unwrap();
    let earlier = at(1.0) - Duration::from_secs(30);
    assert_eq!(scene.keep(&[("A", "earlier")], earlier), Ok(Kept::Newer));
    assert_eq!(scene.find(at(1.0)), one());
    // a clock that was put back further than calls take must not end the saving
    assert_eq!(scene.keep(&[("A", "after")], at(0.0)), Ok(Kept::Written));
}

#[test]
fn an_answer_that_has_lost_what_is_required_does_not_replace_a_copy_that_has_it_in_time() {
    let scene = Scene::new();
    let keep = |pairs: &[(&str, &str)], asked| {
        let lacking = ["REQUIRED".to_owned()];
        scene.offline.shelf.keep(&scene.slot().0, &secrets(pairs, Vec::new()), &lacking, asked)
    };
    assert_eq!(keep(ONE, at(0.0)), Ok(Kept::Written), "there was nothing to lose");
    scene.keep(&[("REQUIRED", "r")], at(1.0)).unwrap();
    assert_eq!(keep(ONE, at(2.0)), Ok(Kept::Guarded));
    assert_eq!(scene.find(at(2.0)).unwrap()[0].0, "REQUIRED");
    assert_eq!(keep(ONE, at(25.0)), Ok(Kept::Written), "a copy past its time guards nothing");
}

#[test]
fn a_copy_has_an_age_that_it_may_not_pass_and_may_not_be_from_the_future() {
    let scene = Scene::new();
    scene.keep(ONE, at(0.0)).unwrap();
    assert_eq!(scene.find(at(23.99)), one());
    assert_eq!(scene.find(at(24.0)), Err(Problem::TooOld(24 * HOUR)));
    assert_eq!(scene.find(at(-0.08)), one());
    assert_eq!(scene.find(at(-0.1)), Err(Problem::FromTheFuture));
}

#[test]
fn any_byte_changed_and_any_cut_of_a_file_is_a_miss_and_the_next_copy_replaces_it() {
    let scene = Scene::new();
    scene.keep(ONE, at(0.0)).unwrap();
    let (file, whole) = (scene.file(), fs::read(scene.file()).unwrap());
    for at_byte in 0..whole.len() {
        for change in [1, 0x80, 0xff] {
            let mut changed = whole.clone();
            changed[at_byte] ^= change;
            fs::write(&file, changed).unwrap();
            assert!(scene.find(at(0.0)).is_err(), "byte {at_byte}");
        }
        fs::write(&file, &whole[..at_byte]).unwrap();
        assert!(scene.find(at(0.0)).is_err(), "{at_byte} bytes");
    }
    assert_eq!(scene.keep(ONE, at(0.0)), Ok(Kept::Written));
    assert_eq!(scene.find(at(0.0)), one());
}

#[test]
fn a_copy_larger_than_allowed_is_neither_written_nor_read() {
    let scene = Scene::new();
    scene.keep(&[("A", &"x".repeat(2000))], at(0.0)).unwrap();
    let strict = Offline::new(OfflineOptions::new(scene.folder()).max_bytes(1000));
    assert!(matches!(strict.shelf.find(&scene.slot().0, at(0.0)), Err(Problem::TooLarge)));
    let large = secrets(&[("A", &"y".repeat(1000))], Vec::new());
    assert_eq!(strict.shelf.keep(&scene.slot().0, &large, &[], at(0.0)), Err(Problem::TooLarge));
    fs::File::options().write(true).open(scene.file()).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(scene.find(at(0.0)), Err(Problem::TooLarge), "nor is room made for it");
}

#[test]
fn deleting_is_for_one_scope_and_what_is_not_there_is_deleted_too() {
    let scene = Scene::new();
    assert_eq!(scene.offline.shelf.forget(&scene.slot().0), Ok(()));
    scene.keep(ONE, at(0.0)).unwrap();
    scene.offline.shelf.forget(&scene.slot_of("token", "staging").0).unwrap();
    assert_eq!(scene.find(at(0.0)), one());
    scene.offline.shelf.forget(&scene.slot().0).unwrap();
    assert_eq!(scene.find(at(0.0)), Err(Problem::Absent));
    assert!(files(&scene.folder()).is_empty());
}

#[test]
fn a_write_takes_away_copies_past_their_time_and_files_left_unfinished_and_nothing_else() {
    let scene = Scene::new();
    let now = SystemTime::now();
    let old = scene.slot_of("token", "old");
    scene.offline.shelf.keep(&old.0, &secrets(ONE, Vec::new()), &[], now - 25 * HOUR).unwrap();
    let fresh = scene.slot_of("token", "fresh");
    scene.offline.shelf.keep(&fresh.0, &secrets(ONE, Vec::new()), &[], now - HOUR).unwrap();
    let put = |name: &str, age: Duration| {
        let path = scene.folder().join(name);
        fs::write(&path, "x").unwrap();
        fs::File::options().write(true).open(&path).unwrap().set_modified(now - age).unwrap();
        #[cfg(unix)]
        set_mode(&path, 0o600);
    };
    put("left.part", HOUR);
    put("busy.part", Duration::from_secs(60));
    put("mine.txt", 100 * HOUR);
    put("strange.copy", 100 * HOUR);
    scene.keep(ONE, now).unwrap();
    let mut expected = ["busy.part", "mine.txt", "strange.copy"].map(str::to_owned).to_vec();
    expected.extend([&fresh, &scene.slot()].map(|slot| format!("{}.copy", slot.0.name)));
    expected.sort();
    assert_eq!(files(&scene.folder()), expected);
}

#[test]
fn many_writes_in_a_row_look_through_the_directory_once() {
    let scene = Scene::new();
    let now = SystemTime::now();
    scene.keep(ONE, now).unwrap();
    let left = scene.folder().join("left.part");
    fs::write(&left, "x").unwrap();
    fs::File::options().write(true).open(&left).unwrap().set_modified(now - HOUR).unwrap();
    #[cfg(unix)]
    set_mode(&left, 0o600);
    scene.keep(&[("A", "2")], now + Duration::from_secs(59)).unwrap();
    assert!(left.exists());
    scene.keep(&[("A", "3")], now + Duration::from_secs(60)).unwrap();
    assert!(!left.exists());
}

#[test]
fn writers_and_readers_at_the_same_time_never_see_half_a_copy() {
    let scene = Scene::new();
    let directory = scene.folder();
    let value = |number: usize| number.to_string().repeat(500);
    scene.keep(&[("A", &value(0))], at(0.0)).unwrap();
    std::thread::scope(|threads| {
        for writer in 0..3 {
            // as another process has it: nothing is shared but the directory
            let other = Offline::new(OfflineOptions::new(&directory));
            let slot = scene.slot();
            threads.spawn(move || {
                for round in 0..20 {
                    let secrets = secrets(&[("A", &value(writer * 100 + round))], Vec::new());
                    assert!(other.shelf.keep(&slot.0, &secrets, &[], at(0.0)).is_ok());
                }
            });
        }
        for _ in 0..200 {
            let found = scene.find(at(0.0)).unwrap();
            let text = &found[0].1;
            let number = &text[..text.len() / 500];
            assert_eq!(*text, number.repeat(500));
        }
    });
    assert_eq!(files(&directory).len(), 1, "nothing is left unfinished");
}

#[tokio::test]
async fn an_empty_snapshot_never_takes_the_place_of_a_copy_and_problems_are_counted_and_not_raised() {
    let scene = Scene::new();
    let slot = scene.slot();
    let keep = async |secrets| scene.offline.keep(Ok(&slot), &Arc::new(secrets), Vec::new(), at(0.0)).await;
    keep(secrets(ONE, Vec::new())).await;
    keep(secrets(&[], Vec::new())).await;
    assert_eq!(scene.find(at(0.0)), one());
    assert_eq!(scene.offline.counts(), (0, 0));
    fs::remove_dir_all(scene.folder()).unwrap();
    fs::write(scene.folder(), "a file in the place of the directory").unwrap();
    keep(secrets(ONE, Vec::new())).await;
    scene.offline.keep(Err(Problem::NoKey), &Arc::new(secrets(ONE, Vec::new())), Vec::new(), at(0.0)).await;
    assert_eq!(scene.offline.find(Ok(&slot), at(0.0)).await.err(), Some(Problem::WrongKind(problem::What::Directory)));
    scene.offline.forget(Ok(&slot)).await;
    assert_eq!(scene.offline.counts(), (0, 3));
    assert!(scene.dir.path().exists());
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
