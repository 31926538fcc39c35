//! Files and directories that are not what they should be, where rights and links tell.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::engine::disk_cache::problem::What;

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
        assert_eq!(scene.find(at(0.0)), Err(Problem::OpenToOthers(What::File)), "{wrong:o}");
    }
    assert_eq!(scene.keep(ONE, at(0.0)), Ok(Kept::Written));
    assert_eq!((mode(&scene.file()), scene.find(at(0.0))), (0o600, one()));
}

#[test]
fn a_directory_that_others_have_any_right_to_is_not_used_at_all() {
    let scene = Scene::new();
    scene.keep(ONE, at(0.0)).unwrap();
    for wrong in [0o755, 0o701, 0o710, 0o1777] {
        set_mode(&scene.folder(), wrong);
        let refused = Problem::OpenToOthers(What::Directory);
        assert_eq!((scene.find(at(0.0)), scene.keep(ONE, at(2.0))), (Err(refused), Err(refused)), "{wrong:o}");
    }
    assert_eq!(scene.offline.shelf.forget(&scene.slot().0), Ok(()), "what is refused must go all the same");
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
        turn.replace(&scene.slot().0.name, &newer).unwrap();
        drop(turn);
        assert!(early.is_err(), "written out of turn: {early:?}");
        assert_eq!(told.recv().unwrap(), Ok(Kept::Newer));
    });
    assert_eq!(scene.find(at(1.01)).unwrap()[0].1, "newer");
}

#[test]
fn whoever_holds_the_turn_for_ever_does_not_end_the_saving() {
    let scene = Scene::new();
    scene.keep(ONE, at(0.0)).unwrap();
    let turn = Folder::open_at(&scene.folder()).unwrap();
    turn.wait_for_turn();
    assert_eq!(scene.keep(&[("A", "new")], at(0.0)), Ok(Kept::Written));
    assert_eq!(scene.offline.shelf.forget(&scene.slot().0), Ok(()));
}

#[test]
fn a_link_in_the_place_of_the_file_is_not_followed_and_its_target_is_left_alone() {
    let scene = Scene::new();
    scene.keep(ONE, at(0.0)).unwrap();
    let (file, target) = (scene.file(), scene.dir.path().join("target"));
    fs::rename(&file, &target).unwrap();
    symlink(&target, &file).unwrap();
    assert_eq!(scene.find(at(0.0)), Err(Problem::WrongKind(What::File)));
    let before = fs::read(&target).unwrap();
    assert_eq!(scene.keep(&[("A", "new")], at(0.0)), Ok(Kept::Written));
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
    let refused = Problem::WrongKind(What::Directory);
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
    assert_eq!(scene.find(at(0.0)), Err(Problem::WrongKind(What::File)));
    assert!(matches!(scene.keep(ONE, at(0.0)), Err(Problem::System(problem::Step::Replace, _))));
    assert_eq!(files(&scene.folder()).len(), 1, "nothing is left unfinished");
    fs::remove_dir(&file).unwrap();
    assert!(std::process::Command::new("mkfifo").args(["-m", "600"]).arg(&file).status().unwrap().success());
    assert_eq!(scene.find(at(0.0)), Err(Problem::WrongKind(What::File)));
    assert_eq!(scene.keep(ONE, at(0.0)), Ok(Kept::Written));
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
    assert_eq!(scene.find(at(0.0)), Err(Problem::OtherOwner(What::File)));
    give(&scene.file(), 0);
    give(&scene.folder(), 12345);
    let refused = Problem::OtherOwner(What::Directory);
    assert_eq!((scene.find(at(0.0)), scene.keep(ONE, at(2.0))), (Err(refused), Err(refused)));
}
