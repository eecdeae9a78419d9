import Archives
import Attribution
import CLIPModel
import Experiments
import Foundation
import Foundations
import Inputs
import Lens
import Pipeline
import Results
import Safetensors
import Slurm
import TorchCheckpoint

extension Failure {
    /// One place for all words: modules throw facts.
    static func words(for error: any Error) -> Failure {
        switch error {
        case let failure as Failure: failure
        case let error as SpecError: words(error)
        case let error as PipelineError: words(error)
        case let error as OutputError:
            Failure(
                error, elsewhere: "choose another folder with --results",
                again: "run the same command again; finished shards are kept")
        case let error as ResultsError: words(error)
        case let error as NumberPlace.LookupError: words(error)
        case let error as InputError: words(error)
        case let error as ChangedFile:
            Failure(
                .badData, "\(error.path): changed while it was read",
                fix:
                    "let nothing write to the model and its files while a run reads them; then run the same command again"
            )
        case let error as ExperimentError: words(error)
        case let error as ExportError: words(error)
        case let error as CheckpointError: words(error)
        case let error as InputSizeError: words(error)
        case let error as ConfigurationError: words(error)
        case let error as TokenizerError: words(error)
        case let error as SafetensorsError: words(error)
        case let error as LensError: words(error)
        case let error as SearchError: words(error)
        case let error as FetchError: words(error)
        case let error as DataSetError: words(error)
        case let error as ArchiveError: words(error)
        case let error as TorchCheckpointError: words(error)
        case let error as SegmentationError: words(error)
        case let error as SlurmError: words(error)
        default:
            Failure(
                .internalError, "\(error)", fix: "this is a bug of clip-lens; please report it with the command you ran"
            )
        }
    }

    // MARK: Inputs and experiments

    private static func words(_ error: InputError) -> Failure {
        switch error {
        case .missingFile(let path, let purpose):
            Failure(
                .inputMissing, "\(path): not found or not readable; it is needed as \(purpose)",
                fix: "check the path; what comes from Debian's packages is installed by scripts/bootstrap.sh")
        case .malformedFile(let path, let place, let expected):
            Failure(
                .badData, "\(path): \(place): expected \(expected)",
                fix: "correct the file, or restore it with git checkout or by reinstalling its package")
        case .missingGlyph(let path, let codePoint, let name):
            Failure(
                .badData, "\(path): no colour bitmap for U+\(String(codePoint, radix: 16, uppercase: true)) (\(name))",
                fix: "install Debian's fonts-noto-color-emoji; other emoji fonts have other pictures")
        case .fontLibrary(let path, let operation, let code):
            Failure(
                .badData, "\(path): FreeType refused it in \(operation), code \(code)",
                fix: "reinstall the font's package")
        case .imageNotWritten(let path, let reason):
            Failure(
                .saveFailed, "\(path): the picture could not be written: \(reason)",
                fix: "make room or choose another folder")
        case .imageNotRead(let path, let reason):
            Failure(
                .badData, "\(path): the picture was not read: \(reason)",
                fix: "replace the file by a sound PNG or JPEG file")
        case .pictureRefused(let name, let fault):
            Failure(
                .badData, "\(name): the picture was not read: \(fault.text)",
                fix: fault.fix + ", or leave it out: on-bad-image: skip in the spec, --on-bad-image skip for an export")
        case .maskOfAnotherSize(let mask, let image):
            Failure(
                .badData,
                "a mask of \(mask.map(String.init).joined(separator: "×")) pixels for an image of \(image.map(String.init).joined(separator: "×"))",
                fix: "give a mask that has its image's width and height")
        case .outOfRange(let what, let value, let allowed):
            Failure(
                .badData, "\(what) is \(value), allowed is \(allowed.lowerBound) to \(allowed.upperBound)",
                fix: "change the value")
        case .recipeOutOfRange(let key, let value, let allowed):
            Failure(
                .badData,
                "the scene recipe's \(key) is \(value), allowed is \(allowed.lowerBound) to \(allowed.upperBound)",
                fix: "change the value")
        case .sampleTooLarge(let wanted, let available):
            Failure(
                .badData, "a sample of \(wanted) pictures from a set of \(available)", fix: "take \(available) or fewer"
            )
        case .sampleTooSparse(let step, let available):
            Failure(
                .badData, "every \(step)th picture of a set of \(available) is none",
                fix: "take every \(available)th or more")
        case .unknownSplit(let name, let known):
            Failure(.badData, "there is no split '\(name)'", fix: "use one of \(known.joined(separator: ", "))")
        case .digestMismatch(let dataset, let what, let expected, let found):
            Failure(
                .badData, "\(dataset): \(what) has SHA-256 \(found), but the manifest states \(expected)",
                fix:
                    "restore the file that the manifest was made for; or, if the change is meant, run `runner manifest --write` and commit the new digests"
            )
        case .unknownDataset(let name, let manifest, let known):
            Failure(
                .inputMissing, "\(manifest): nothing is called '\(name)'",
                fix: nearestName(to: name, among: known).map { "did you mean '\($0)'?" }
                    ?? "use one of \(known.joined(separator: ", "))")
        }
    }

    private static func words(_ error: ExperimentError) -> Failure {
        switch error {
        case .imageSizeMismatch(let dataset, let found, let model, let expected):
            Failure(
                .badData, "\(dataset) has pictures of \(found) pixels, \(model) takes \(expected)",
                fix: "choose a model and a data set that belong together")
        case .onlyForScenes(let feature):
            Failure(
                .badData, "'\(feature)' is only for the scenes of the embedded world",
                fix: "take a file of phrases, or an external command as the generator; see docs/method.md")
        case .unlabelled(let image):
            Failure(
                .badData, "\(image) has no one class, and this experiment measures accuracies",
                fix: "choose a data set or split in which each picture has one label")
        case .classNames(let dataset, let found, let needed):
            Failure(
                .badData, "'class-names' has \(found) names, \(dataset) has \(needed) classes",
                fix: "list a name for each class, in label order")
        case .noMasks(let dataset):
            Failure(
                .badData, "\(dataset) has no masks to compare maps with",
                fix: "choose a data set with masks, such as imagenet-segmentation or image-mask-pairs")
        case .noMainObject(let image):
            Failure(
                .badData, "the mask of \(image) does not show one class, so what a map should show cannot be told",
                fix: "choose a data set whose pictures show one class each, such as imagenet-segmentation")
        case .notFinite(let image, let place):
            Failure(
                .failed, "image \(image), \(place): the representation is not a finite number",
                fix: "check the weights with `runner selfcheck`")
        case .textNotFinite(let text):
            Failure(
                .failed, "the text '\(text)': its embedding is not a finite number",
                fix: "check the weights with `runner selfcheck`")
        case .tooFewImages(let split, let found, let needed):
            Failure(
                .badData, "\(split) gives \(found) images, but each neuron keeps \(needed)",
                fix: "raise --limit, take a larger sample, or lower significant-images in the spec")
        case .poolNotRead(let path, let reason):
            Failure(
                .inputMissing, "\(path): the pool of phrases was not read: \(reason)",
                fix: "name a UTF-8 text file with a phrase a line; its path is taken from the spec's folder")
        case .malformedPool(let path, let line, let reason):
            Failure(
                .badData, "\(path):\(line): \(reason)", fix: "a pool has one phrase a line, each once; remove the line")
        case .tooFewPhrases(let pair, let method, let found, let needed):
            Failure(
                .badData,
                "\(pair), \(method): \(found) phrases can be put into a picture, a description takes \(needed)",
                fix: "raise 'above' of 'synonyms', take a larger pool, or allow relatives of the second class")
        case .poolTooSmall(let name, let found, let needed):
            Failure(
                .badData, "the pool '\(name)' has \(found) phrases, but \(needed) are to be chosen for a neuron",
                fix: "take a larger pool or smaller sizes")
        }
    }

    private static func words(_ error: LensError) -> Failure {
        switch error {
        case .noLaterAttention(let layer, let layers):
            Failure(
                .badData,
                "layer \(layer) of \(layers) has no later attention layer, so its neurons have no second-order effect",
                fix: "choose layers 0 to \(layers - 2)")
        case .factorisation(let layer, let neuron, let cause):
            Failure(
                .failed, "layer \(layer), neuron \(neuron): its effects could not be decomposed (\(cause))",
                fix: "check the weights with `runner selfcheck`")
        }
    }

    private static func words(_ error: SegmentationError) -> Failure {
        switch error {
        case .emptyMask:
            Failure(.badData, "a mask has no pixels", fix: "give each image a mask of its own size")
        case .sizesDiffer(let map, let mask):
            Failure(
                .badData, "a mask of \(mask) pixels for a map of \(map)", fix: "give each image a mask of its own size")
        case .unknownLabel(let label, let pixel):
            Failure(
                .badData, "pixel \(pixel) of a mask has the label \(label)",
                fix: "masks have 0 for background, 1 for foreground and 255 for unlabelled")
        }
    }

    // MARK: Specs

    private static func words(_ error: SpecError) -> Failure {
        let failures = error.faults.map(words)
        var first = failures[0]
        first.others = Array(failures.dropFirst())
        return first
    }

    private static func words(_ error: SpecFault) -> Failure {
        let place = error.position.map { "\(error.path):\($0.line):\($0.column)" } ?? error.path
        func failure(_ message: String, _ fix: String, _ code: Code = .badData) -> Failure {
            Failure(code, "\(place): \(message)", fix: fix)
        }
        return switch error.kind {
        case .cannotRead(let fault):
            failure(
                fault.text, "name an existing spec; `ls experiments/*/` shows those that come with clip-lens",
                .inputMissing)
        case .tooLarge(let bytes, let limit):
            failure("\(bytes) bytes are more than a spec has", "keep specs under \(limit) bytes")
        case .notUTF8: failure("this is not UTF-8 text", "save the spec as UTF-8")
        case .empty: failure("the spec is empty", "start from one of experiments/*/*.yaml")
        case .syntax(let problem): failure(problem, "mend the YAML")
        case .duplicateKey(let key): failure("the key '\(key)' stands twice", "remove one of the two")
        case .anchor: failure("anchors and aliases are not allowed", "write the value out")
        case .tag(let tag): failure("the tag \(tag) is not allowed", "remove it")
        case .unknownKey(let key, let suggestion, let known):
            failure(
                "unknown key '\(key)'",
                suggestion.map { "did you mean '\($0)'?" } ?? "known keys are \(known.joined(separator: ", "))")
        case .missingKey(let key): failure("the key '\(key)' is missing", "add it")
        case .wrongKind(let key, let expected, let found):
            failure("'\(key)' has to be \(article(expected)), this is \(article(found))", "write \(article(expected))")
        case .ambiguous(let key, let text, let expected):
            failure(
                "'\(key)': readers of YAML disagree about \(text)",
                "write it as \(article(expected)) that all agree about; put texts in quotes")
        case .outOfRange(let key, let value, let lower, let upper):
            failure("'\(key)' is \(value)", "choose a value from \(lower) to \(upper)")
        case .unknownChoice(let key, let value, let suggestion, let choices):
            failure(
                "'\(key)' is '\(value)'",
                suggestion.map { "did you mean '\($0)'?" }
                    ?? (choices.isEmpty
                        ? "choose a name that is there" : "choose one of \(choices.joined(separator: ", "))"))
        case .neitherNameNorPath(let key, let value, let suggestion, let choices):
            failure(
                "'\(key)' is '\(value)', which is no name of the manifest, and no path either: a path has a slash",
                (suggestion.map { "did you mean '\($0)'? Else" }
                    ?? "choose one of \(choices.joined(separator: ", ")), or")
                    + " write the path of your own folder or file as ./\(value)")
        case .emptyList(let key):
            failure("'\(key)' is an empty list", "list at least one element, or leave the key out")
        case .duplicateElement(let key, let value): failure("'\(key)' lists \(value) twice", "remove one of the two")
        case .invalid(let key, let reason): failure("'\(key)': \(reason)", "change the value")
        }
    }

    private static func article(_ kind: SpecFault.ValueKind) -> String {
        kind == .integer ? "a whole number" : kind == .null ? "nothing" : "a \(kind.rawValue)"
    }

    // MARK: Pipeline and results

    private static func words(_ error: PipelineError) -> Failure {
        switch error {
        case .stepFailed(let step, let underlying):
            return words(for: underlying).inside("step \(step)")
        case .shardFailed(let step, let shard, let underlying):
            return words(for: underlying).inside(
                "step \(step), images \(shard.units.lowerBound) to \(shard.units.upperBound - 1)")
        case .interrupted:
            return Failure(
                .interrupted, "interrupted; finished shards are kept", fix: "run the same command again to go on")
        case .cannotRead(let path, let fault): return unread(path, fault)
        case .lockLost(let path, let isRemoved, let holder):
            guard !isRemoved else {
                return Failure(
                    .lockHeld,
                    "\(path): removed while this runner held it, so that another one may have worked here at the same time; nothing more is saved",
                    fix: "let nobody remove files of a results folder under a run; run the same command again")
            }
            return Failure(
                .lockHeld,
                "\(path): \(holder.map { "process \($0.pid) on \($0.host)" } ?? "another process") worked here at the same time: this file system keeps locks to each node; nothing more is saved",
                fix: "stop one of the two and run the same command again; or give each its own --results")
        case .lockHeld(let path, let holder, let waited):
            let who = holder.map { "process \($0.pid) on \($0.host)" } ?? "another process"
            return Failure(
                .lockHeld, "\(path): \(who) is working there; waited \(Int(waited.seconds.rounded())) s",
                fix: "wait for it, raise --lock-timeout, or choose another folder with --results")
        case .memoryLimitTooSmall(let step, let needed, let limit):
            return Failure(
                .usage, "step \(step) needs \(ByteCount(needed)), --memory allows \(ByteCount(limit))",
                fix: "raise --memory to \(ByteCount(needed)) or more")
        case .stepNotInGraph(let key):
            return Failure(
                .badData,
                "the spec has no step \(key.prefix(12)): its files, the data or the program are not those that the task was submitted with",
                fix: "run the same `runner run` command again")
        case .unknownStep(let name, let suggestion, let kinds):
            return Failure(
                .usage, "there is no step '\(name)' to force",
                fix: suggestion.map { "did you mean '\($0)'?" } ?? "use one of \(kinds.joined(separator: ", "))")
        case .damaged(let path, let damage):
            return Failure(
                .badData, "\(path): damaged (\(damage))", fix: "run the same command again; it will be computed anew")
        case .danglingInput, .duplicateOutput, .undeclaredInput, .invalidSharding, .notComputed,
            .wrongArtefactForm, .invalidArtefact:
            return Failure(
                .internalError, "\(error)", fix: "this is a bug of clip-lens; please report it with the spec")
        }
    }

    /// A file that could not be opened or read.
    static func unread(_ path: String, _ fault: FileFault) -> Failure {
        switch fault {
        case .missing, .system:
            Failure(.inputMissing, "\(path): cannot be read: \(fault.text)", fix: "check the path and its permissions")
        case .isALink, .isAFolder, .notARegularFile, .tooLarge:
            Failure(.badData, "\(path): cannot be read: \(fault.text)", fix: "name a regular file")
        }
    }

    func inside(_ place: String) -> Failure {
        Failure(code, "\(place): \(message)", fix: fix)
    }

    private static func words(_ error: ResultsError) -> Failure {
        switch error {
        case .cannotOpen(let path, let errno, let message):
            Failure(
                .cannotWrite,
                "\(path): cannot be opened: \(message)\(errno == 0 ? "" : " (\(String(cString: strerror(errno))))")",
                fix: "choose another folder with --results, or change its permissions")
        case .notAResultsDatabase(let path):
            Failure(
                .badData, "\(path): not a results database of clip-lens",
                fix: "move the file away or choose another folder with --results")
        case .damaged(let path, let message):
            Failure(
                .badData, "\(path): damaged: \(message)",
                fix: "move the file away; numbers come back from results/cache with the same command")
        case .newerSchema(let path, let found, let supported):
            Failure(
                .badData, "\(path): written by a newer clip-lens (schema \(found), this one knows \(supported))",
                fix: "update clip-lens or choose another folder with --results")
        case .busy(let path):
            Failure(.lockHeld, "\(path): another process is writing to it", fix: "run the same command again")
        case .saveFailed(let path, let errno, let message, let freeBytes):
            Failure(
                .saveFailed, "\(path): could not be saved: \(message)\(room(freeBytes, errno))",
                fix: "\(remedy(errno) ?? "choose another folder with --results"); then run the same command again")
        case .removed(let path):
            Failure(
                .saveFailed, "\(path): removed or replaced under the run; the rows went with it",
                fix:
                    "let nobody remove files of a results folder under a run; run the same command again, finished steps are kept"
            )
        case .readFailed(let path, let errno):
            Failure(
                .saveFailed, "\(path): could not be read: \(String(cString: strerror(errno)))",
                fix: "\(remedy(errno) ?? "choose another folder with --results"); then run the same command again")
        case .cannotCopy(let path, let folder, let needed, let free, let errno):
            Failure(
                .saveFailed,
                "\(path): read from a copy, because somebody may be writing to it; TMPDIR is \(folder), where \(ByteCount(Int(clamping: needed))) could not be saved: \(String(cString: strerror(errno)))\(room(free, errno))",
                fix: "name a folder with room: TMPDIR=DIR runner …")
        case .notAPlainFile(let path, let found):
            Failure(
                .badData, "\(path): a file of this user's was expected, this is \(found)",
                fix: "move it away or choose another folder with --results")
        case .noResults(let path):
            Failure(
                .inputMissing, "\(path): no run has begun there yet",
                fix: "name another results folder with --results, or run an experiment first")
        case .unreadableRow(let path, let table, let column):
            Failure(
                .badData, "\(path): damaged: a row of '\(table)' cannot be read (\(column))",
                fix: "move the file away; numbers come back from results/cache with the same command")
        case .invalidRow, .noSuchRun, .sqlite:
            Failure(.internalError, "\(error)", fix: "this is a bug of clip-lens; please report it")
        }
    }
}
