import DenseMath
import Inputs
import Synchronization

/// Models and data sets of a manifest, each verified and opened once for all experiments of a run.
final class OpenedInputs: Sendable {
    private let manifest: DatasetsManifest
    private let models = Mutex<[String: ModelUnderStudy]>([:])
    private let datasets = Mutex<[String: SceneDataset]>([:])

    init(_ manifest: DatasetsManifest) { self.manifest = manifest }

    /// - Throws: as `ModelUnderStudy.init`.
    func model(_ name: String, textActivation: Activation?) throws -> ModelUnderStudy {
        let model = try models.withLock { models in
            if let model = models[name] { return model }
            let model = try ModelUnderStudy(name, in: manifest)
            models[name] = model
            return model
        }
        return textActivation.map(model.withTextActivation) ?? model
    }

    /// - Throws: as `SceneDataset.init`.
    func dataset(_ name: String) throws -> SceneDataset {
        try datasets.withLock { datasets in
            if let dataset = datasets[name] { return dataset }
            let dataset = try SceneDataset(name, in: manifest)
            datasets[name] = dataset
            return dataset
        }
    }
}
