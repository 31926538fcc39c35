//! A mount of Kubernetes: a snapshot is of one state of it, however often it is swapped.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use xtrasecurity::sources::Directory;
use xtrasecurity::{Client, ErrorKind};

use super::directory::read;

const FILES: [&str; 4] = ["HOST", "PASSWORD", "PORT", "USER"];

/// As the kubelet does it: a new directory, then the link is replaced, then the old directory goes.
fn swap(mount: &Path, number: usize) {
    let name = format!("..generation_{number}");
    let data = mount.join(&name);
    fs::create_dir(&data).unwrap();
    for file in FILES {
        fs::write(data.join(file), format!("{number}\n")).unwrap();
    }
    symlink(&name, mount.join("..data_tmp")).unwrap();
    fs::rename(mount.join("..data_tmp"), mount.join("..data")).unwrap();
    if let Some(before) = number.checked_sub(1) {
        fs::remove_dir_all(mount.join(format!("..generation_{before}"))).unwrap();
    }
}

#[tokio::test]
async fn while_kubernetes_swaps_the_files_no_snapshot_is_half_old_and_half_new() {
    let dir = tempfile::tempdir().unwrap();
    let mount = dir.path();
    swap(mount, 0);
    FILES.iter().for_each(|file| symlink(format!("..data/{file}"), mount.join(file)).unwrap());

    let client = Client::new_with_source(Directory::new(mount));
    let (done, path) = (Arc::new(AtomicBool::new(false)), mount.to_owned());
    let is_done = Arc::clone(&done);
    let writer = thread::spawn(move || {
        for number in (1..).take_while(|_| !is_done.load(Ordering::Relaxed)) {
            swap(&path, number);
        }
    });
    let mut generations = BTreeSet::new();
    for _ in 0..300 {
        let secrets = match client.read(()).no_cache().await {
            Ok(secrets) => secrets,
            // it may be swapped faster than it can be read, which is said and may be tried again
            Err(error) => {
                assert!(error.kind() == ErrorKind::Timeout && error.is_retryable(), "{error}");
                continue;
            }
        };
        let values: Vec<&str> = secrets.iter().map(|(_, value)| value.expose()).collect();
        assert_eq!(secrets.names().collect::<Vec<_>>(), FILES);
        assert!(values.iter().all(|value| *value == values[0]), "{values:?}");
        generations.insert(values[0].to_owned());
    }
    done.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    assert!(generations.len() > 1, "nothing was swapped meanwhile: {generations:?}");
}

#[tokio::test]
async fn a_kubernetes_mount_holds_the_files_behind_its_link_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    swap(dir.path(), 0);
    fs::write(dir.path().join("STRAY"), "not of this secret").unwrap();
    let secrets = read(Directory::new(dir.path())).await.unwrap();
    assert_eq!(secrets.names().collect::<Vec<_>>(), FILES);
    fs::remove_dir_all(dir.path().join("..generation_0")).unwrap();
    let error = read(Directory::new(dir.path())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
}
