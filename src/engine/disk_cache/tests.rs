//! The rules for copies, and files that are not what they should be.

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
    cache: DiskCache,
}

impl FileKey {
    fn parts(&self) -> &KeyParts {
        self.0.as_ref().unwrap()
    }
}

impl Scene {
    fn new() -> Self {
        Self::with(|options| options)
    }

    fn with(change: impl FnOnce(OfflineOptions) -> OfflineOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let options = OfflineOptions::new(dir.path().join("a").join("copies"));
        Self { cache: DiskCache::new(change(options)), dir }
    }

    fn key_of(&self, token: &str, scope: &str) -> FileKey {
        self.cache.file_key(Some(token.into()), "service", "https://host.example/api", scope.as_bytes())
    }

    fn key(&self) -> FileKey {
        self.key_of("token", "production")
    }

    fn keep(&self, pairs: &[(&str, &str)], asked: SystemTime) -> Result<WriteOutcome, DiskError> {
        self.cache.writer.save(self.key().parts(), &secrets(pairs, Vec::new()), &[], asked)
    }

    fn find(&self, now: SystemTime) -> Result<Vec<(String, String)>, DiskError> {
        self.find_in(&self.key(), now)
    }

    fn find_in(&self, key: &FileKey, now: SystemTime) -> Result<Vec<(String, String)>, DiskError> {
        let saved = self.cache.writer.load(key.parts(), now)?;
        Ok(saved.values.iter().map(|(name, value)| (name.to_owned(), value.expose().to_owned())).collect())
    }

    fn folder(&self) -> PathBuf {
        self.cache.writer.options.directory.clone()
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

fn one() -> Result<Vec<(String, String)>, DiskError> {
    Ok(vec![("A".to_owned(), "hunter2".to_owned())])
}

const ONE: &[(&str, &str)] = &[("A", "hunter2")];

#[test]
fn what_was_kept_is_found_with_its_age_and_what_could_not_be_read() {
    let scene = Scene::new();
    let hidden = vec![Unreadable::new("B", UnreadableReason::Masked)];
    let kept = scene.cache.writer.save(scene.key().parts(), &secrets(ONE, hidden.clone()), &[], at(0.0));
    assert_eq!(kept, Ok(WriteOutcome::Written));
    assert_eq!(scene.find(at(2.0)), one());
    let saved = scene.cache.writer.load(scene.key().parts(), at(2.0)).ok().unwrap();
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
    let key = |token: &str, service: &str, root: &str, scope: &str| {
        scene.cache.file_key(Some(token.into()), service, root, scope.as_bytes())
    };
    for other in [
        key("other", "service", "https://host.example/api", "production"),
        key("token", "service", "https://host.example/api", "staging"),
        key("token", "service", "https://other/api", "production"),
        key("token", "other", "https://host.example/api", "production"),
        key("token", "servic", "ehttps://host.example/api", "production"),
    ] {
        assert_eq!(scene.find_in(&other, at(0.0)), Err(DiskError::Absent));
        let renamed = scene.folder().join(format!("{}.copy", other.parts().name));
        fs::copy(scene.file(), &renamed).unwrap();
        #[cfg(unix)]
        set_mode(&renamed, 0o600);
        assert_eq!(scene.find_in(&other, at(0.0)), Err(DiskError::Unopened));
        fs::remove_file(renamed).unwrap();
    }
    assert_eq!(scene.find(at(0.0)), one());
}

#[test]
fn an_explicit_key_opens_what_any_token_saved_under_it_and_nothing_else_does() {
    let key = OfflineKey::new([3; 32]).unwrap();
    let scene = Scene::with(|options| options.key(key.clone()));
    scene.keep(ONE, at(0.0)).unwrap();
    assert_eq!(scene.find_in(&scene.key_of("another", "production"), at(0.0)), one());
    let directory = scene.folder();
    for other in [
        DiskCache::new(OfflineOptions::new(&directory).key(OfflineKey::new([4; 32]).unwrap())),
        DiskCache::new(OfflineOptions::new(&directory)),
    ] {
        let key = other.file_key(Some("token".into()), "service", "https://host.example/api", b"production");
        assert!(matches!(other.writer.load(key.parts(), at(0.0)), Err(DiskError::Absent)));
    }
}

#[test]
fn without_a_key_or_a_lasting_token_there_is_no_key_for_a_copy() {
    let scene = Scene::new();
    assert_eq!(scene.cache.file_key(None, "service", "", b"").0.err(), Some(DiskError::NoKey));
}

#[test]
fn a_copy_is_written_when_the_secrets_change_or_a_24th_of_its_time_is_over_and_not_before() {
    let scene = Scene::new();
    assert_eq!(scene.keep(ONE, at(0.0)), Ok(WriteOutcome::Written));
    let before = fs::read(scene.file()).unwrap();
    assert_eq!(scene.keep(ONE, at(0.99)), Ok(WriteOutcome::Same));
    assert_eq!(fs::read(scene.file()).unwrap(), before);
    assert_eq!(scene.keep(&[("A", "other")], at(0.99)), Ok(WriteOutcome::Written));
    assert_eq!(scene.keep(&[("A", "other")], at(1.98)), Ok(WriteOutcome::Same));
    assert_eq!(scene.keep(&[("A", "other")], at(1.99)), Ok(WriteOutcome::Written));
    // another process allows less
    let strict = DiskCache::new(OfflineOptions::new(scene.folder()).max_age(2 * HOUR));
    assert_eq!(
        strict.writer.save(scene.key().parts(), &secrets(&[("A", "other")], Vec::new()), &[], at(1.99)),
        Ok(WriteOutcome::Written)
    );
    assert_eq!(scene.find(at(3.98)).unwrap().len(), 1);
    assert!(matches!(scene.find(at(3.99)), Err(DiskError::TooOld(_))), "what the writer allowed counts");
}

#[test]
fn what_was_asked_for_earlier_does_not_replace_what_was_asked_for_later() {
    let scene = Scene::new();
    scene.keep(ONE, at(1.0)).unwrap();
    let earlier = at(1.0) - Duration::from_secs(30);
    assert_eq!(scene.keep(&[("A", "earlier")], earlier), Ok(WriteOutcome::Newer));
    assert_eq!(scene.find(at(1.0)), one());
    // a clock that was put back further than calls take must not end the saving
    assert_eq!(scene.keep(&[("A", "after")], at(0.0)), Ok(WriteOutcome::Written));
}

#[test]
fn an_answer_that_has_lost_what_is_required_does_not_replace_a_copy_that_has_it_in_time() {
    let scene = Scene::new();
    let keep = |pairs: &[(&str, &str)], asked| {
        let lacking = ["REQUIRED".to_owned()];
        scene.cache.writer.save(scene.key().parts(), &secrets(pairs, Vec::new()), &lacking, asked)
    };
    assert_eq!(keep(ONE, at(0.0)), Ok(WriteOutcome::Written), "there was nothing to lose");
    scene.keep(&[("REQUIRED", "r")], at(1.0)).unwrap();
    assert_eq!(keep(ONE, at(2.0)), Ok(WriteOutcome::Guarded));
    assert_eq!(scene.find(at(2.0)).unwrap()[0].0, "REQUIRED");
    assert_eq!(keep(ONE, at(25.0)), Ok(WriteOutcome::Written), "a copy past its time guards nothing");
}

#[test]
fn a_copy_has_an_age_that_it_may_not_pass_and_may_not_be_from_the_future() {
    let scene = Scene::new();
    scene.keep(ONE, at(0.0)).unwrap();
    assert_eq!(scene.find(at(23.99)), one());
    assert_eq!(scene.find(at(24.0)), Err(DiskError::TooOld(24 * HOUR)));
    assert_eq!(scene.find(at(-0.08)), one());
    assert_eq!(scene.find(at(-0.1)), Err(DiskError::FromTheFuture));
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
    assert_eq!(scene.keep(ONE, at(0.0)), Ok(WriteOutcome::Written));
    assert_eq!(scene.find(at(0.0)), one());
}

#[test]
fn a_copy_larger_than_allowed_is_neither_written_nor_read() {
    let scene = Scene::new();
    scene.keep(&[("A", &"x".repeat(2000))], at(0.0)).unwrap();
    let strict = DiskCache::new(OfflineOptions::new(scene.folder()).max_bytes(1000));
    assert!(matches!(strict.writer.load(scene.key().parts(), at(0.0)), Err(DiskError::TooLarge)));
    let large = secrets(&[("A", &"y".repeat(1000))], Vec::new());
    assert_eq!(strict.writer.save(scene.key().parts(), &large, &[], at(0.0)), Err(DiskError::TooLarge));
    fs::File::options().write(true).open(scene.file()).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(scene.find(at(0.0)), Err(DiskError::TooLarge), "nor is room made for it");
}

#[test]
fn deleting_is_for_one_scope_and_what_is_not_there_is_deleted_too() {
    let scene = Scene::new();
    assert_eq!(scene.cache.writer.delete(scene.key().parts()), Ok(()));
    scene.keep(ONE, at(0.0)).unwrap();
    scene.cache.writer.delete(scene.key_of("token", "staging").parts()).unwrap();
    assert_eq!(scene.find(at(0.0)), one());
    scene.cache.writer.delete(scene.key().parts()).unwrap();
    assert_eq!(scene.find(at(0.0)), Err(DiskError::Absent));
    assert!(files(&scene.folder()).is_empty());
}

#[test]
fn a_write_takes_away_copies_past_their_time_and_files_left_unfinished_and_nothing_else() {
    let scene = Scene::new();
    let now = SystemTime::now();
    let old = scene.key_of("token", "old");
    scene.cache.writer.save(old.parts(), &secrets(ONE, Vec::new()), &[], now - 25 * HOUR).unwrap();
    let fresh = scene.key_of("token", "fresh");
    scene.cache.writer.save(fresh.parts(), &secrets(ONE, Vec::new()), &[], now - HOUR).unwrap();
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
    expected.extend([&fresh, &scene.key()].map(|key| format!("{}.copy", key.parts().name)));
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
            let other = DiskCache::new(OfflineOptions::new(&directory));
            let key = scene.key();
            threads.spawn(move || {
                for round in 0..20 {
                    let secrets = secrets(&[("A", &value(writer * 100 + round))], Vec::new());
                    assert!(other.writer.save(key.parts(), &secrets, &[], at(0.0)).is_ok());
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
    let key = scene.key();
    let keep = async |secrets| scene.cache.save(&key, &Arc::new(secrets), Vec::new(), at(0.0)).await;
    keep(secrets(ONE, Vec::new())).await;
    keep(secrets(&[], Vec::new())).await;
    assert_eq!(scene.find(at(0.0)), one());
    assert_eq!(scene.cache.counts(), (0, 0));
    fs::remove_dir_all(scene.folder()).unwrap();
    fs::write(scene.folder(), "a file in the place of the directory").unwrap();
    keep(secrets(ONE, Vec::new())).await;
    scene.cache.save(&FileKey(Err(DiskError::NoKey)), &Arc::new(secrets(ONE, Vec::new())), Vec::new(), at(0.0)).await;
    assert_eq!(scene.cache.load(&key, at(0.0)).await.err(), Some(DiskError::WrongKind(error::What::Directory)));
    scene.cache.delete(&key).await;
    assert_eq!(scene.cache.counts(), (0, 3));
    assert!(scene.dir.path().exists());
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Files and directories that are not what they should be, where rights and links tell.
#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::error::{Step, What};
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn the_directory_and_the_files_are_made_for_their_owner_alone() {
        let scene = Scene::new();
        scene.keep(ONE, at(0.0)).unwrap();
        assert_eq!((mode(&scene.folder()), mode(&scene.file())), (0o700, 0o600));
    }

    #[test]
    fn a_file_that_others_have_any_right_to_is_not_used_and_its_successor_is_private() {
        let scene = Scene::new();
        scene.keep(ONE, at(0.0)).unwrap();
        for wrong in [0o640, 0o604, 0o620, 0o602, 0o601, 0o777] {
            set_mode(&scene.file(), wrong);
            assert_eq!(scene.find(at(0.0)), Err(DiskError::OpenToOthers(What::File)), "{wrong:o}");
        }
        assert_eq!(scene.keep(ONE, at(0.0)), Ok(WriteOutcome::Written));
        assert_eq!((mode(&scene.file()), scene.find(at(0.0))), (0o600, one()));
    }

    #[test]
    fn a_directory_that_others_have_any_right_to_is_not_used_at_all() {
        let scene = Scene::new();
        scene.keep(ONE, at(0.0)).unwrap();
        for wrong in [0o755, 0o701, 0o710, 0o1777] {
            set_mode(&scene.folder(), wrong);
            let refused = DiskError::OpenToOthers(What::Directory);
            assert_eq!((scene.find(at(0.0)), scene.keep(ONE, at(2.0))), (Err(refused), Err(refused)), "{wrong:o}");
        }
        assert_eq!(scene.cache.writer.delete(scene.key().parts()), Ok(()), "what is refused must go all the same");
        assert!(files(&scene.folder()).is_empty());
    }

    #[test]
    fn writers_of_several_processes_take_turns_so_that_the_answer_asked_for_last_stays() {
        let scene = Scene::new();
        scene.keep(ONE, at(0.0)).unwrap();
        let newer = {
            scene.keep(&[("A", "newer")], at(1.01)).unwrap();
            fs::read(scene.file()).unwrap()
        };
        fs::remove_file(scene.file()).unwrap();
        // as another process has it, between its look at what is there and its writing
        let turn = Folder::open_at(&scene.folder()).unwrap();
        turn.wait_for_turn();
        std::thread::scope(|threads| {
            let (tell, told) = std::sync::mpsc::channel();
            let scene = &scene;
            threads.spawn(move || tell.send(scene.keep(&[("A", "older")], at(1.0))));
            let early = told.recv_timeout(Duration::from_millis(100));
            turn.replace(&scene.key().parts().name, &newer).unwrap();
            drop(turn);
            assert!(early.is_err(), "written out of turn: {early:?}");
            assert_eq!(told.recv().unwrap(), Ok(WriteOutcome::Newer));
        });
        assert_eq!(scene.find(at(1.01)).unwrap()[0].1, "newer");
    }

    #[test]
    fn whoever_holds_the_turn_for_ever_does_not_end_the_saving() {
        let scene = Scene::new();
        scene.keep(ONE, at(0.0)).unwrap();
        let turn = Folder::open_at(&scene.folder()).unwrap();
        turn.wait_for_turn();
        assert_eq!(scene.keep(&[("A", "new")], at(0.0)), Ok(WriteOutcome::Written));
        assert_eq!(scene.cache.writer.delete(scene.key().parts()), Ok(()));
    }

    #[test]
    fn a_link_in_the_place_of_the_file_is_not_followed_and_its_target_is_left_alone() {
        let scene = Scene::new();
        scene.keep(ONE, at(0.0)).unwrap();
        let (file, target) = (scene.file(), scene.dir.path().join("target"));
        fs::rename(&file, &target).unwrap();
        symlink(&target, &file).unwrap();
        assert_eq!(scene.find(at(0.0)), Err(DiskError::WrongKind(What::File)));
        let before = fs::read(&target).unwrap();
        assert_eq!(scene.keep(&[("A", "new")], at(0.0)), Ok(WriteOutcome::Written));
        assert_eq!(fs::read(&target).unwrap(), before);
        assert!(fs::symlink_metadata(&file).unwrap().is_file());
    }

    #[test]
    fn a_link_in_the_place_of_the_directory_is_not_followed() {
        let scene = Scene::new();
        scene.keep(ONE, at(0.0)).unwrap();
        let elsewhere = scene.dir.path().join("elsewhere");
        fs::rename(scene.folder(), &elsewhere).unwrap();
        symlink(&elsewhere, scene.folder()).unwrap();
        let refused = DiskError::WrongKind(What::Directory);
        assert_eq!((scene.find(at(0.0)), scene.keep(ONE, at(2.0))), (Err(refused), Err(refused)));
        for ending in ["/", "/."] {
            let mut path = scene.folder().into_os_string();
            path.push(ending);
            assert_eq!(Folder::open_at(Path::new(&path)).err(), Some(refused), "{ending}");
        }
    }

    #[test]
    fn a_directory_or_a_pipe_in_the_place_of_the_file_is_a_miss_and_a_problem_and_nobody_waits() {
        let scene = Scene::new();
        scene.keep(ONE, at(0.0)).unwrap();
        let file = scene.file();
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        set_mode(&file, 0o700);
        assert_eq!(scene.find(at(0.0)), Err(DiskError::WrongKind(What::File)));
        assert!(matches!(scene.keep(ONE, at(0.0)), Err(DiskError::System(Step::Replace, _))));
        assert_eq!(files(&scene.folder()).len(), 1, "nothing is left unfinished");
        fs::remove_dir(&file).unwrap();
        assert!(std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&file).status().unwrap().success());
        assert_eq!(scene.find(at(0.0)), Err(DiskError::WrongKind(What::File)));
        assert_eq!(scene.keep(ONE, at(0.0)), Ok(WriteOutcome::Written));
    }

    #[test]
    fn what_belongs_to_another_user_is_not_used() {
        if !rustix::process::geteuid().is_root() {
            println!("SKIPPED only root can give files away");
            return;
        }
        let scene = Scene::new();
        scene.keep(ONE, at(0.0)).unwrap();
        let give = |path: &Path, to: u32| std::os::unix::fs::chown(path, Some(to), None).unwrap();
        give(&scene.file(), 12345);
        assert_eq!(scene.find(at(0.0)), Err(DiskError::OtherOwner(What::File)));
        give(&scene.file(), 0);
        give(&scene.folder(), 12345);
        let refused = DiskError::OtherOwner(What::Directory);
        assert_eq!((scene.find(at(0.0)), scene.keep(ONE, at(2.0))), (Err(refused), Err(refused)));
    }
}
