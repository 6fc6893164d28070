//! The whole object database of a repository: every blob once, and where flagged blobs came from.
//!
//! Not here: the delta walk itself, and the change a commit makes against a base (see `change`).

use crate::model::blob::{Blob, ObjectId};
use crate::model::coverage::{Gap, Reason};
use crate::model::delta::Edit;
use crate::model::origin::Aside;
use crate::model::report;
use crate::source::error::Error;
use crate::source::objects::{Objects, Reading, Visit};
use crate::source::pack::Kind;
use crate::source::{Future, Kept, Sink};
use crate::source::{repository, spelling};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

pub use crate::source::lives::{Contents, Lives};
pub use crate::source::past::{Fresh, Past};
pub use crate::source::survey::{Origins, Survey};

/// How to read history.
#[derive(Clone, Copy, Debug)]
pub struct HistoryOptions {
    /// Threads.
    pub jobs: usize,
    /// Objects above this many bytes become gaps.
    pub max_size: u64,
    /// Bytes of buffers, all threads together. Objects larger than half of it become gaps too.
    pub memory: usize,
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self {
            jobs: 1,
            max_size: 32 << 20,
            memory: 128 << 20,
        }
    }
}

/// What was read.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct HistoryTotals {
    /// Distinct blobs.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A repository whose object database is read.
pub struct History {
    repository: git2::Repository,
    objects: Objects,
}

impl History {
    /// Opens the repository that `path` lies in: work tree, bare, linked work tree.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_with(path, &[])
    }

    /// The same, with further folders of objects: the quarantine of a push that is not accepted yet.
    pub fn open_with(path: &Path, more: &[PathBuf]) -> Result<Self, Error> {
        let repository = repository::open(path)?;
        let mut objects = Objects::open(&repository.commondir().join("objects"));
        if !more.is_empty() {
            let fault = |it: git2::Error| repository::translated(path, &it);
            let odb = repository.odb().map_err(fault)?;
            for folder in more {
                odb.add_disk_alternate(&spelling::shown(folder))
                    .map_err(fault)?;
                objects.add(folder);
            }
        }
        Ok(Self {
            repository,
            objects,
        })
    }

    /// The folder of what linked work trees share.
    pub fn folder(&self) -> PathBuf {
        let folder = self.repository.commondir();
        folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
    }

    /// Where the repository stands.
    pub fn repository(&self) -> report::Repository {
        repository::standing(&self.repository)
    }

    /// The folder of objects and refs, which all work trees of the repository share.
    pub fn place(&self) -> PathBuf {
        let common = self.repository.commondir();
        common.canonicalize().unwrap_or_else(|_| common.to_owned())
    }

    /// Every blob of all packs and loose objects, reachable or not, exactly once; its path is empty.
    pub fn each_blob(
        &self,
        options: &HistoryOptions,
        sink: &dyn Sink,
    ) -> Result<HistoryTotals, Error> {
        self.gaps().into_iter().for_each(|gap| sink.gap(gap));
        let reader = BlobReader::new(sink, None);
        self.each(options, &[Kind::Blob], &reader);
        Ok(reader.finish().0)
    }

    /// The same but for the resting and what else the past knows: what was read, and what was not.
    pub fn each_new_blob(
        &self,
        options: &HistoryOptions,
        past: &Past,
        resting: &HashMap<ObjectId, u32>,
        sink: &dyn Sink,
    ) -> (HistoryTotals, HistoryTotals, Fresh) {
        self.gaps().into_iter().for_each(|gap| sink.gap(gap));
        let again = past.flagged(self).map(|it| it.0);
        let again = again.filter(|it| !resting.contains_key(it)).collect();
        let only = past.only(&again);
        let reader = BlobReader::new(
            sink,
            Some(Choice {
                past,
                resting,
                only: only.as_ref(),
                fresh: Mutex::default(),
            }),
        );
        self.objects.each_of(
            only.as_ref(),
            &self.reading(&[Kind::Blob], options),
            &|id| self.object(id),
            &reader,
        );
        let (read, mut fresh) = reader.finish();
        let mut unread = past.unread(self, &mut fresh);
        unread.blobs += resting.len() as u64;
        unread.bytes += resting.values().map(|it| u64::from(*it)).sum::<u64>();
        (read, unread, fresh)
    }

    /// Everything that is no blob, in one pass over commits and tags and one over trees: messages, headers
    /// and names go to the sink. `flagged` are the blobs whose origins will be asked for.
    pub fn survey(
        &self,
        options: &HistoryOptions,
        flagged: &HashSet<ObjectId>,
        sink: &dyn Sink,
    ) -> Survey {
        Survey::of(self, &self.unbound(options), flagged, sink)
    }

    /// The same from what an earlier survey left, if that can be read. All objects must lie as they lay then.
    pub fn survey_again(
        &self,
        options: &HistoryOptions,
        record: &[u8],
        sink: &dyn Sink,
    ) -> Option<Survey> {
        Survey::again(self, &self.unbound(options), record, sink)
    }

    /// Where each flagged blob lay and who brought it there: one origin for each blob and path.
    pub fn origins(&self, flagged: &HashSet<ObjectId>) -> Origins {
        let options = HistoryOptions::default();
        let survey = self.survey(&options, flagged, &Unheard);
        self.origins_with(&options, survey, flagged, &HashSet::new())
    }

    /// The same from a survey for these blobs, and with the origins of texts that are no blobs.
    pub fn origins_with(
        &self,
        options: &HistoryOptions,
        survey: Survey,
        flagged: &HashSet<ObjectId>,
        asides: &HashSet<Aside>,
    ) -> Origins {
        survey.origins(self, &self.unbound(options), flagged, asides)
    }

    /// What is no blob has no limit of its own.
    fn unbound(&self, options: &HistoryOptions) -> HistoryOptions {
        HistoryOptions {
            max_size: u64::MAX,
            ..*options
        }
    }

    /// Reads every object of some types.
    pub(crate) fn each(&self, options: &HistoryOptions, kinds: &'static [Kind], visit: &dyn Visit) {
        self.objects
            .each(&self.reading(kinds, options), &|id| self.object(id), visit);
    }

    /// An object by its id through git's library: the slow way, for deltas whose base lies in another pack.
    pub(crate) fn object(&self, id: &ObjectId) -> Option<(Kind, Vec<u8>)> {
        elsewhere(&self.repository, id)
    }

    /// As git's library has it.
    pub(crate) fn library(&self) -> &git2::Repository {
        &self.repository
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    fn reading(&self, kinds: &'static [Kind], options: &HistoryOptions) -> Reading {
        Reading {
            kinds,
            jobs: options.jobs.max(1),
            max_size: options.max_size,
            memory: options.memory.max(1 << 20),
        }
    }

    /// What is known to be missing before anything is read.
    fn gaps(&self) -> Vec<Gap> {
        let mut gaps = self.objects.gaps().to_vec();
        let ends = repository::shallow_boundary(&self.repository).len();
        if ends > 0 {
            let detail = format!(
                "the clone is shallow: history ends at {ends} commit(s); `git fetch --unshallow`"
            );
            gaps.push(Gap {
                path: ".".to_owned(),
                reason: Reason::ShallowClone,
                detail,
            });
        }
        gaps
    }
}

/// Nobody listens.
struct Unheard;

impl Sink for Unheard {
    fn blob(&self, _blob: Blob<'_>) {}
    fn gap(&self, _gap: Gap) {}
}

fn elsewhere(repository: &git2::Repository, id: &ObjectId) -> Option<(Kind, Vec<u8>)> {
    let odb = repository.odb().ok()?;
    let object = odb.read(git2::Oid::from_bytes(id.as_bytes()).ok()?).ok()?;
    let kind = match object.kind() {
        git2::ObjectType::Blob => Kind::Blob,
        git2::ObjectType::Tree => Kind::Tree,
        git2::ObjectType::Commit => Kind::Commit,
        git2::ObjectType::Tag => Kind::Tag,
        git2::ObjectType::Any => return None,
    };
    Some((kind, object.data().to_vec()))
}

struct BlobReader<'a> {
    sink: &'a dyn Sink,
    choice: Option<Choice<'a>>,
    blobs: AtomicU64,
    bytes: AtomicU64,
}

/// Which blobs are to be read, and which were.
struct Choice<'a> {
    past: &'a Past,
    resting: &'a HashMap<ObjectId, u32>,
    only: Option<&'a HashSet<ObjectId>>,
    fresh: Mutex<Fresh>,
}

impl Choice<'_> {
    fn fresh(&self) -> MutexGuard<'_, Fresh> {
        self.fresh.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> BlobReader<'a> {
    fn new(sink: &'a dyn Sink, choice: Option<Choice<'a>>) -> Self {
        Self {
            sink,
            choice,
            blobs: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    fn finish(self) -> (HistoryTotals, Fresh) {
        let totals = HistoryTotals {
            blobs: self.blobs.into_inner(),
            bytes: self.bytes.into_inner(),
        };
        let fresh = self.choice.map(|it| it.fresh.into_inner());
        let fresh = fresh.map(|it| it.unwrap_or_else(PoisonError::into_inner));
        (totals, fresh.unwrap_or_default())
    }

    fn counted<'b>(&self, id: ObjectId, bytes: &'b [u8]) -> Blob<'b> {
        self.blobs.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        if let Some(choice) = &self.choice {
            let (hash, size) = (choice.past.hash(&id), u32::try_from(bytes.len()));
            match size {
                Ok(size) => choice.fresh().read.push((hash, size)),
                // Too large to note is read each time.
                Err(_) => drop(choice.fresh().failed.insert(id)),
            }
        }
        Blob {
            bytes,
            path: "",
            id: Some(id),
        }
    }
}

impl Visit for BlobReader<'_> {
    fn chooses(&self) -> bool {
        let choice = self.choice.as_ref();
        choice.is_some_and(|it| !it.past.is_blank())
    }

    fn wants(&self, id: &ObjectId) -> bool {
        match &self.choice {
            None => true,
            Some(Choice {
                only: Some(only), ..
            }) => only.contains(id),
            Some(choice) => choice.past.wants(id, choice.resting),
        }
    }

    fn object(&self, id: ObjectId, bytes: &[u8]) {
        self.sink.blob(self.counted(id, bytes));
    }

    fn chained(
        &self,
        id: ObjectId,
        bytes: &[u8],
        base: Option<(&Edit, &Kept)>,
        future: Future,
    ) -> Option<Kept> {
        self.sink.chained(self.counted(id, bytes), base, future)
    }

    fn stumbled(&self, id: &ObjectId) {
        if let Some(choice) = &self.choice {
            choice.fresh().failed.insert(*id);
        }
    }

    fn failed(&self, gap: Gap) {
        self.sink.gap(gap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::origin::Origin;
    use crate::source::testing::{Keep, Repo, id};
    use std::fs;

    const SECRET: &str = "token = invented-value-1234567890\n";

    fn read_with(path: &Path, options: &HistoryOptions) -> (Keep, HistoryTotals) {
        let keep = Keep::default();
        let totals = History::open(path)
            .unwrap()
            .each_blob(options, &keep)
            .unwrap();
        (keep, totals)
    }

    fn read(path: &Path) -> Keep {
        read_with(
            path,
            &HistoryOptions {
                jobs: 2,
                ..HistoryOptions::default()
            },
        )
        .0
    }

    fn assert_complete(path: &Path) {
        let (keep, totals) = read_with(
            path,
            &HistoryOptions {
                jobs: 2,
                ..HistoryOptions::default()
            },
        );
        let expected = Repo::oracle(path, "blob");
        let found = keep.by_id();
        assert_eq!(
            found.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>()
        );
        assert!(found == expected, "bytes differ");
        assert_eq!(totals.blobs, expected.len() as u64);
        assert_eq!(
            totals.bytes,
            expected.values().map(|it| it.len() as u64).sum::<u64>()
        );
        assert_eq!(keep.reasons(), []);
    }

    /// Thirty versions of a few files, so that packs hold long delta chains.
    fn busy() -> Repo {
        let repo = Repo::new();
        let mut lines: Vec<String> = (0..300)
            .map(|it| format!("line {it} of a file that changes {}", it * 7919))
            .collect();
        for round in 0..30 {
            lines[round * 9] = format!("changed in round {round}");
            lines.insert(round * 3, format!("inserted in round {round}"));
            let text = lines.join("\n");
            let half = lines[..lines.len() / 2].join("\n");
            repo.commit(
                &[
                    ("a.txt", &text),
                    ("deep/down/b.txt", &half),
                    (&format!("new/{round}"), ""),
                ],
                "round",
            );
        }
        repo
    }

    #[test]
    fn loose_packed_and_mixed_objects_are_all_read_once() {
        let repo = busy();
        assert_complete(repo.path());
        repo.git(&["repack", "-q", "-adf", "--depth=50", "--window=50"]);
        assert_complete(repo.path());
        repo.commit(&[("later", SECRET)], "loose again");
        assert_complete(repo.path());
        repo.git(&["-c", "pack.indexVersion=1", "repack", "-q", "-d"]);
        assert_complete(repo.path());
        repo.git(&["gc", "-q", "--aggressive"]);
        assert_complete(repo.path());
    }

    #[test]
    fn packs_with_deltas_by_id_are_read() {
        let repo = busy();
        // Without `--delta-base-offset` every delta names its base by id.
        let all = repo.git(&["rev-list", "--objects", "--all"]);
        repo.write(
            "../list",
            all.lines()
                .map(|it| format!("{}\n", &it[..40]))
                .collect::<String>(),
        );
        let script =
            "git pack-objects -q --depth=50 .git/objects/pack/pack < ../list && git prune-packed";
        assert!(
            std::process::Command::new("sh")
                .args(["-c", script])
                .current_dir(repo.path())
                .output()
                .unwrap()
                .status
                .success()
        );
        assert_complete(repo.path());
    }

    #[test]
    fn a_small_memory_budget_only_costs_time() {
        let repo = Repo::new();
        let mut text: Vec<u8> = (0..60_000_u32)
            .flat_map(|it| it.wrapping_mul(2_654_435_761).to_be_bytes())
            .collect();
        for round in 0..12_u8 {
            text[usize::from(round) * 1000] ^= 0x55;
            text.extend([round; 999]);
            repo.write("big", &text);
            repo.commit(&[], "grow");
        }
        repo.git(&["repack", "-q", "-adf", "--depth=50"]);
        let (keep, _) = read_with(
            repo.path(),
            &HistoryOptions {
                memory: 1 << 20,
                ..HistoryOptions::default()
            },
        );
        assert_eq!(keep.reasons(), []);
        assert!(keep.by_id() == Repo::oracle(repo.path(), "blob"));
    }

    #[test]
    fn objects_above_the_limit_are_named_and_their_deltas_still_read() {
        let repo = busy();
        repo.git(&["repack", "-q", "-adf", "--depth=50"]);
        let all = Repo::oracle(repo.path(), "blob");
        let limit = all.values().map(Vec::len).sum::<usize>() / all.len();
        let (keep, totals) = read_with(
            repo.path(),
            &HistoryOptions {
                max_size: limit as u64,
                ..Default::default()
            },
        );
        let (small, large): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| it.1.len() <= limit);
        assert!(!small.is_empty() && !large.is_empty());
        assert_eq!(totals.blobs as usize, small.len());
        let expected: Vec<_> = large
            .iter()
            .map(|it| (it.0.to_string(), Reason::TooLarge))
            .collect();
        assert_eq!(keep.reasons(), expected);
    }

    #[test]
    fn bare_shared_and_linked_repositories_lead_to_the_same_objects() {
        let repo = busy();
        repo.git(&["gc", "-q"]);
        let bare = repo.beside("bare.git");
        repo.git(&[
            "clone",
            "-q",
            "--bare",
            "--no-local",
            ".",
            bare.to_str().unwrap(),
        ]);
        assert_complete(&bare);
        let shared = repo.beside("shared");
        repo.git(&["clone", "-q", "--shared", ".", shared.to_str().unwrap()]);
        assert_complete(&shared);
        let linked = repo.beside("linked");
        repo.git(&[
            "worktree",
            "add",
            "-q",
            linked.to_str().unwrap(),
            "-b",
            "side",
        ]);
        assert_complete(&linked);
        assert_complete(&repo.path().join("deep"));
    }

    #[test]
    fn a_missing_alternate_is_a_gap() {
        let repo = busy();
        let shared = repo.beside("shared");
        repo.git(&["clone", "-q", "--shared", ".", shared.to_str().unwrap()]);
        fs::write(
            shared.join(".git/objects/info/alternates"),
            "/nowhere/objects\n",
        )
        .unwrap();
        let reasons = read(&shared).reasons();
        assert_eq!(reasons.len(), 1);
        assert_eq!(reasons[0].1, Reason::MissingObject);
    }

    #[test]
    fn duplicates_in_two_packs_and_loose_are_read_once() {
        let repo = busy();
        repo.git(&["repack", "-q", "-a"]);
        repo.write(
            "../list",
            repo.git(&["rev-parse", "HEAD:a.txt", "HEAD~3:a.txt", "HEAD"]) + "\n",
        );
        let script = "git pack-objects -q .git/objects/pack/pack < ../list";
        assert!(
            std::process::Command::new("sh")
                .args(["-c", script])
                .current_dir(repo.path())
                .output()
                .unwrap()
                .status
                .success()
        );
        let packs = fs::read_dir(repo.path().join(".git/objects/pack"))
            .unwrap()
            .flatten();
        assert_eq!(
            packs
                .filter(|it| it.path().extension().is_some_and(|it| it == "pack"))
                .count(),
            2
        );
        assert_complete(repo.path());
    }

    fn only_pack(repo: &Repo) -> PathBuf {
        let packs = fs::read_dir(repo.path().join(".git/objects/pack"))
            .unwrap()
            .flatten()
            .map(|it| it.path());
        packs
            .filter(|it| it.extension().is_some_and(|it| it == "pack"))
            .max_by_key(|it| fs::metadata(it).unwrap().len())
            .unwrap()
    }

    fn rewrite(path: &Path, change: impl Fn(&mut Vec<u8>)) {
        let mut bytes = fs::read(path).unwrap();
        change(&mut bytes);
        fs::remove_file(path).unwrap();
        fs::write(path, bytes).unwrap();
    }

    #[test]
    fn damaged_packs_lose_only_what_is_damaged() {
        let repo = busy();
        repo.git(&["repack", "-q", "-adf", "--depth=50"]);
        let sound = Repo::oracle(repo.path(), "blob");
        let pack = only_pack(&repo);
        let original = fs::read(&pack).unwrap();
        let mut lost_some = 0;
        for step in 1..60 {
            let at = original.len() * step / 60;
            rewrite(&pack, |it| {
                it.clone_from(&original);
                it[at] ^= 0x5a;
            });
            let keep = read(repo.path());
            let found = keep.by_id();
            assert!(
                found
                    .iter()
                    .all(|(id, bytes)| sound.get(id).is_none_or(|it| it == bytes)),
                "wrong bytes at {at}"
            );
            let gaps = keep.reasons();
            assert!(gaps.iter().all(|it| matches!(
                it.1,
                Reason::CorruptObject | Reason::TooLarge | Reason::MissingObject
            )));
            lost_some += usize::from(sound.keys().any(|it| !found.contains_key(it)));
            for missing in sound.keys().filter(|it| !found.contains_key(it)) {
                let named = gaps.iter().any(|it| it.0 == missing.to_string());
                assert!(named, "{missing} vanished in silence, byte {at}");
            }
        }
        assert!(lost_some > 5, "{lost_some}");
        rewrite(&pack, |it| it.truncate(original.len() / 2));
        let keep = read(repo.path());
        assert!(!keep.reasons().is_empty());
        rewrite(&pack, |it| it.truncate(10));
        assert_eq!(read(repo.path()).reasons().len(), 1);
    }

    #[test]
    fn a_pack_without_index_and_an_index_without_pack_are_gaps() {
        for (kept, reason) in [
            ("pack", Reason::CorruptObject),
            ("idx", Reason::MissingObject),
        ] {
            let repo = busy();
            repo.git(&["repack", "-q", "-adf"]);
            let pack = only_pack(&repo);
            for other in ["pack", "idx"].iter().filter(|it| **it != kept) {
                fs::remove_file(pack.with_extension(other)).unwrap();
            }
            let name = pack.file_name().unwrap().to_str().unwrap().to_owned();
            assert_eq!(read(repo.path()).reasons(), [(name, reason)]);
        }
    }

    #[test]
    fn a_sound_copy_makes_good_for_a_damaged_one() {
        let repo = busy();
        repo.git(&["repack", "-q", "-adf", "--depth=50"]);
        let sound = Repo::oracle(repo.path(), "blob");
        let clone = repo.beside("clone");
        repo.git(&["clone", "-q", "--no-local", ".", clone.to_str().unwrap()]);
        fs::write(
            repo.path().join(".git/objects/info/alternates"),
            format!("{}/.git/objects\n", clone.display()),
        )
        .unwrap();
        rewrite(&only_pack(&repo), |it| {
            let at = it.len() / 3;
            it[at..at + 40].fill(0x5a);
        });
        let keep = read(repo.path());
        assert_eq!(keep.reasons(), []);
        assert!(keep.by_id() == sound);
    }

    #[test]
    fn shallow_and_partial_clones_say_that_history_ends() {
        let repo = busy();
        let url = format!("file://{}", repo.path().display());
        let shallow = repo.beside("shallow");
        repo.git(&["clone", "-q", "--depth=1", &url, shallow.to_str().unwrap()]);
        assert_eq!(
            read(&shallow)
                .reasons()
                .iter()
                .map(|it| it.1)
                .collect::<Vec<_>>(),
            [Reason::ShallowClone]
        );
        repo.git(&["config", "uploadpack.allowFilter", "true"]);
        let partial = repo.beside("partial");
        repo.git(&[
            "clone",
            "-q",
            "--filter=blob:none",
            "--no-checkout",
            &url,
            partial.to_str().unwrap(),
        ]);
        let gaps = History::open(&partial)
            .unwrap()
            .origins(&HashSet::new())
            .gaps;
        assert_eq!(gaps.len(), 1);
        assert_eq!(gaps[0].reason, Reason::PartialClone);
        let missing = Repo::oracle(repo.path(), "blob").len();
        let told = format!("partial: {missing} file(s) and 0 folder(s)");
        assert!(gaps[0].detail.contains(&told), "{}", gaps[0].detail);
        assert!(
            gaps[0].detail.contains("such as a.txt, "),
            "{}",
            gaps[0].detail
        );
    }

    /// `path commit-or-minus reachable in-head` of each origin.
    fn origins(path: &Path, text: &str) -> Vec<(String, Option<String>, bool, bool)> {
        let history = History::open(path).unwrap();
        let blob = id(&Repo::git_in(path, &["rev-parse", "HEAD"]))
            .as_bytes()
            .len();
        assert_eq!(blob, 20);
        let hash = git2::Oid::hash_object(git2::ObjectType::Blob, text.as_bytes()).unwrap();
        let flagged = id(&hash.to_string());
        let origins = history.origins(&HashSet::from([flagged]));
        assert_eq!(origins.gaps, []);
        let row = |(found, place): &(Origin, Option<u32>)| {
            let it = match place {
                Some(place) => &origins.lives.origin(found, &[*place], Contents::Whole),
                None => found,
            };
            (
                it.path.clone(),
                it.introduced.as_ref().map(|it| it.commit.clone()),
                it.reachable,
                it.in_head,
            )
        };
        origins.by_blob[&flagged].iter().map(row).collect()
    }

    #[test]
    fn a_secret_is_traced_through_renames_copies_and_removal() {
        let repo = busy();
        let first = repo.commit(&[("deep/down/key.env", SECRET)], "born");
        repo.git(&["mv", "deep/down/key.env", "moved.env"]);
        let second = repo.commit(&[], "renamed");
        let third = repo.commit(
            &[("moved.env", "clean"), ("x/copy.env", SECRET)],
            "cleaned and copied",
        );
        let expected = vec![
            ("deep/down/key.env".to_owned(), Some(first), true, false),
            ("moved.env".to_owned(), Some(second), true, false),
            ("x/copy.env".to_owned(), Some(third), true, true),
        ];
        assert_eq!(origins(repo.path(), SECRET), expected);
        repo.git(&["gc", "-q", "--aggressive"]);
        assert_eq!(origins(repo.path(), SECRET), expected);
    }

    #[test]
    fn a_secret_born_in_a_merge_is_found_in_the_merge() {
        let repo = Repo::new();
        repo.commit(&[("a", "1")], "base");
        repo.git(&["checkout", "-q", "-b", "side"]);
        repo.commit(&[("b", "2")], "side");
        repo.git(&["checkout", "-q", "main"]);
        repo.commit(&[("c", "3")], "main");
        repo.git(&["merge", "-q", "--no-commit", "side"]);
        let merge = repo.commit(&[("evil.env", SECRET)], "merge");
        assert_eq!(
            origins(repo.path(), SECRET),
            [("evil.env".to_owned(), Some(merge), true, true)]
        );
    }

    #[test]
    fn a_merge_that_only_brings_a_secret_along_does_not_introduce_it() {
        let repo = Repo::new();
        repo.commit(&[("a", "1")], "base");
        repo.git(&["checkout", "-q", "-b", "side"]);
        let side = repo.commit(&[("b.env", SECRET)], "side");
        repo.git(&["checkout", "-q", "main"]);
        repo.commit(&[("c", "3")], "main");
        repo.git(&["merge", "-q", "--no-edit", "side"]);
        assert_eq!(
            origins(repo.path(), SECRET),
            [("b.env".to_owned(), Some(side), true, true)]
        );
    }

    #[test]
    fn stashes_are_reachable_amended_commits_are_not_and_dangling_blobs_have_no_commit() {
        let repo = Repo::new();
        repo.commit(&[("a", "1")], "base");
        repo.write("a", SECRET);
        repo.git(&["stash", "-q"]);
        let stash = repo.git(&["rev-parse", "stash"]);
        let index = repo.git(&["rev-parse", "stash^2"]);
        let found = origins(repo.path(), SECRET);
        assert_eq!(found.len(), 1);
        assert!(
            found[0]
                .1
                .as_ref()
                .is_some_and(|it| *it == stash || *it == index)
        );
        assert_eq!(
            (found[0].0.as_str(), found[0].2, found[0].3),
            ("a", true, false)
        );

        let amended = repo.commit(&[("b", "amended away\n")], "oops");
        repo.git(&["rm", "-q", "b"]);
        repo.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "fine"]);
        assert_eq!(
            origins(repo.path(), "amended away\n"),
            [("b".to_owned(), Some(amended), false, false)]
        );

        repo.write("../dangling", "dangling\n");
        let blob = repo.git(&["hash-object", "-w", "../dangling"]);
        assert_eq!(
            origins(repo.path(), "dangling\n"),
            [(format!("objects/{blob}"), None, false, false)]
        );
        assert!(read(repo.path()).by_id().contains_key(&id(&blob)));
        assert_complete(repo.path());

        repo.write("staged", "only staged\n");
        repo.git(&["add", "staged"]);
        assert_eq!(
            origins(repo.path(), "only staged\n"),
            [("staged".to_owned(), None, false, false)]
        );
    }

    #[test]
    fn authors_go_through_the_mail_map() {
        let repo = Repo::new();
        repo.commit(
            &[
                (".mailmap", "Countess <new@example.com> <ada@example.com>\n"),
                ("k", SECRET),
            ],
            "one",
        );
        let hash = repo.blob_id(SECRET);
        let origins = History::open(repo.path())
            .unwrap()
            .origins(&HashSet::from([hash]));
        let (found, place) = &origins.by_blob[&hash][0];
        let origin = origins
            .lives
            .origin(found, &[place.unwrap()], Contents::Whole);
        let introduced = origin.introduced.unwrap();
        assert_eq!(introduced.author, "Countess");
        assert!(introduced.seconds >= 1_700_000_000);
    }
}
