import CLIPModel
import DenseMath
import TestSupport
import Testing

@testable import Attribution

/// Properties of the pass that need no reference: reuse, classes, declared methods, degenerate images.
@Suite struct AttributionPassTests {
    let vision = RandomVision.make()
    var classifier: Tensor { RandomVision.classifier(vision, classes: 5) }

    func map(_ pass: AttributionPass, _ method: AttributionMethod, class label: Int) -> HeatMap {
        method == .secondOrder
            ? pass.secondOrderMap(neurons: [(0, label), (2, 7)]) : pass.map(method, class: label)
    }

    @Test(arguments: AttributionMethod.all) func aUsedPassGivesTheMapsOfAFreshOne(method: AttributionMethod) {
        let size = 3 * vision.configuration.imageSize * vision.configuration.imageSize
        let images = RandomVision.images(2)
        let (one, two) = (Array(images[..<size]), Array(images[size...]))
        let used = AttributionWorkspace(vision, classifier: classifier, logitScale: 20)
        let first = used.run(one)
        for other in AttributionMethod.all { _ = map(first, other, class: 4) }
        _ = map(first, method, class: 1)
        let fresh = AttributionWorkspace(vision, classifier: classifier, logitScale: 20)
        #expect(map(used.run(two), method, class: 1) == map(fresh.run(two), method, class: 1))
    }

    @Test(arguments: AttributionMethod.all) func aMethodDeclaredAloneGivesTheSameMap(method: AttributionMethod) {
        let all = AttributionWorkspace(vision, classifier: classifier, logitScale: 20)
        let alone = AttributionWorkspace(vision, classifier: classifier, logitScale: 20, methods: [method])
        let image = RandomVision.images(1)
        let (expected, found) = (map(all.run(image), method, class: 2), map(alone.run(image), method, class: 2))
        // Products of fewer rows at a time add up in another order.
        let error = relativeError(found.values, expected.values.map(Double.init))
        #expect(error < 1e-4, "off by \(error)")
    }

    @Test(arguments: AttributionMethod.all) func classesMatterWhereTheMethodSaysSo(method: AttributionMethod) {
        let pass = AttributionWorkspace(vision, classifier: classifier, logitScale: 20).run(
            RandomVision.images(1))
        #expect((map(pass, method, class: 0) != map(pass, method, class: 1)) == method.usesClass)
    }

    @Test func textSpanMapsOfAllClassesCancel() {
        // Weights minus their mean over the classes sum to nothing.
        let pass = AttributionWorkspace(vision, classifier: classifier, logitScale: 20).run(
            RandomVision.images(1))
        let maps = (0..<5).map { pass.map(.textSpan, class: $0).values }
        let largest = maps.joined().map { abs($0) }.max() ?? 0
        for patch in maps[0].indices {
            let sum = maps.reduce(Float(0)) { $0 + $1[patch] }
            #expect(abs(sum) < 1e-5 * largest, "patch \(patch) sums to \(sum), values up to \(largest)")
        }
    }

    @Test(arguments: [UInt8(0), 122, 255]) func imagesOfOneColourGiveFiniteMaps(colour: UInt8) {
        let configuration = vision.configuration
        let pass = AttributionWorkspace(vision, classifier: classifier, logitScale: 20).run(
            [UInt8](repeating: colour, count: 3 * configuration.imageSize * configuration.imageSize))
        for method in AttributionMethod.all {
            let map = map(pass, method, class: 0)
            let finite = map.values.allSatisfy { $0.isFinite }
            #expect(finite, "\(method.name): \(map.values)")
            let inside = map.normalised().values.allSatisfy { (0...1).contains($0) }
            #expect(inside, "\(method.name): \(map.normalised().values)")
        }
    }

    @Test func aClassWithoutWeightsHasNoRelevanceAndNoGradient() {
        var weights = classifier
        for j in 0..<vision.embeddingWidth { weights.elements[j] = 0 }
        let pass = AttributionWorkspace(vision, classifier: weights, logitScale: 20).run(
            RandomVision.images(1))
        for method in [AttributionMethod.partialLRP, .lrp, .gradcam, .chefer2021] {
            let map = pass.map(method, class: 0)
            #expect(map.values == [Float](repeating: 0, count: map.values.count), "\(method.name)")
        }
    }

    @Test func aTowerOfOneLayerHasMaps() {
        var configuration = RandomVision.configuration
        configuration.layers = 1
        let vision = RandomVision.make(configuration)
        let pass = AttributionWorkspace(vision, classifier: RandomVision.classifier(vision, classes: 2), logitScale: 20)
            .run(
                RandomVision.images(1))
        for method in AttributionMethod.all where method != .secondOrder {
            let finite = pass.map(method, class: 1).values.allSatisfy { $0.isFinite }
            #expect(finite, "\(method.name)")
        }
        // The products leave layer 0 out, and so nothing flows.
        #expect(pass.map(.rollout, class: 1).values == [0, 0, 0, 0])
        #expect(pass.map(.chefer2021, class: 1).values == [0, 0, 0, 0])
    }

    @Test func secondOrderMapsAreAveragesOfActivations() {
        let pass = AttributionWorkspace(vision, classifier: classifier, logitScale: 20).run(
            RandomVision.images(1))
        let N = vision.configuration.mlpWidth
        let map = pass.secondOrderMap(neurons: [(1, 5), (3, 2)])
        for patch in 0..<map.values.count {
            let mean = (pass.activations(1)[(patch + 1) * N + 5] + pass.activations(3)[(patch + 1) * N + 2]) / 2
            #expect(abs(map.values[patch] - mean) < 1e-6)
        }
        #expect(pass.secondOrderMap(neurons: []).values == [0, 0, 0, 0])
    }
}
