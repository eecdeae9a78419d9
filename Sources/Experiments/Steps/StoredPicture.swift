import Foundation
import Inputs
import Pipeline
import Safetensors

/// A picture for people to look at, made once and kept as a PNG.
struct StoredPicture: Artefact {
    let png: Data

    init(_ picture: RGBImage, named name: String) throws { png = try picture.png(for: name) }

    init(_ stored: StoredArtefact) throws { png = try stored.tensor("png").data }

    func stored() throws -> StoredArtefact {
        .tensors(["png": try StoredTensor(type: .uint8, shape: [png.count], data: png)])
    }
}
