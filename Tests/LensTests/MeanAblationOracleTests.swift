import CLIPModel
import DenseMath
import Foundations
import TestSupport
import Testing

@testable import Lens

/// Means, norms, thresholds, directions and the ablated representations against a dense evaluation.
@Suite struct MeanAblationOracleTests {
    static let layer = 1
    static let fitCount = 14
    static let kept = 5
    static let d = 10

    let vision = RandomVision.make(seed: 3)
    let fit = RandomVision.images(fitCount, seed: 21)
    let evaluation = RandomVision.images(4, seed: 22)

    /// What the lens made of the fit set.
    struct Fitted {
        let lens: SecondOrderLens
        let factors: Tensor
        let means: EffectMeans
        let largest: LargestEffects
        let directions: PrincipalDirections
        let biasShares: Tensor
    }

    func fitted() throws -> Fitted {
        let lens = try SecondOrderLens(layer: Self.layer, paths: ValueOutputPaths(vision), vision: vision)
        let factors = try lens.choleskyFactors()
        let workspace = EffectWorkspace(vision, layers: [Self.layer], capacity: 4)
        let sums = EffectSums(lens, tokens: vision.tokens, capacity: 4)
        run(workspace, fit) { pass, _ in sums.add(pass) }
        let n = Float(sums.images)
        let means = EffectMeans(
            coordinates: Tensor(
                shape: [lens.neurons, lens.headCount], elements: sums.coordinates.elements.map { $0 / n }),
            biasShare: sums.biasShare.elements.map { $0 / n }, total: sums.total.elements.map { $0 / n },
            activations: Tensor(
                shape: [vision.tokens, lens.neurons], elements: sums.activations.elements.map { $0 / n }))
        let effects = CentredEffects(lens, factors: factors, means: means, capacity: 4)
        let (collector, floors) = (
            CandidateEffectsCollector(neurons: lens.neurons, headCount: lens.headCount),
            [Float](repeating: 0, count: lens.neurons)
        )
        var biasShares: [Float] = []
        run(workspace, fit) { pass, start in
            let effects = effects.run(pass)
            collector.insert(effects, floors: floors, firstImage: start)
            biasShares += UnsafeBufferPointer(start: effects.biasShares, count: pass.batch * Self.d)
        }
        let largest = try #require(LargestEffects([collector.result()], count: Self.kept))
        let shares = Tensor(shape: [Self.fitCount, Self.d], elements: biasShares)
        return Fitted(
            lens: lens, factors: factors, means: means, largest: largest,
            directions: try PrincipalDirections(lens, largest: largest, biasShares: shares), biasShares: shares)
    }

    func run(_ workspace: EffectWorkspace, _ images: [UInt8], _ body: (EffectPass, Int) -> Void) {
        let size = 8 * 8 * 3
        let count = images.count / size
        images.withUnsafeBufferPointer {
            guard let base = $0.baseAddress else { return }
            for start in stride(from: 0, to: count, by: workspace.capacity) {
                let batch = min(workspace.capacity, count - start)
                body(workspace.run(base + start * size, batch: batch), start)
            }
        }
    }

    /// φ of every image and neuron. // [images][N][d]
    func effects(of images: [UInt8]) -> [[[Double]]] {
        literal(images).map { image in
            (0..<vision.configuration.mlpWidth).map { image.secondOrderEffect(layer: Self.layer, neuron: $0) }
        }
    }

    func literal(_ images: [UInt8]) -> [LiteralVision] {
        stride(from: 0, to: images.count, by: 192).map { LiteralVision(vision, image: images[$0..<$0 + 192]) }
    }

    struct Dense {
        let mean: [[Double]]  // [N][d]
        let centred: [[[Double]]]  // [images][N][d]
        let norms: [[Double]]  // [N][images]
        /// Fit images with the largest norms, largest first. // [N][C]
        let chosen: [[Int]]
    }

    func dense() -> Dense {
        let phi = effects(of: fit)
        let N = phi[0].count
        let mean = (0..<N).map { n in
            (0..<Self.d).map { j in phi.reduce(0) { $0 + $1[n][j] } / Double(phi.count) }
        }
        let centred = phi.map { image in (0..<N).map { n in zip(image[n], mean[n]).map { $0 - $1 } } }
        let norms = (0..<N).map { n in centred.map { $0[n].reduce(0) { $0 + $1 * $1 }.squareRoot() } }
        let chosen = norms.map { norms in norms.indices.sorted { norms[$0] > norms[$1] }.prefix(Self.kept).map { $0 } }
        return Dense(mean: mean, centred: centred, norms: norms, chosen: chosen)
    }

    @Test func projectionsOfTheLargestEffectsMatch() throws {
        let fitted = try fitted()
        let dense = dense()
        let directions = fitted.directions.directions
        let found = fitted.largest.projections(fitted.lens, onto: directions, biasShares: fitted.biasShares)
        for n in 0..<fitted.lens.neurons {
            let expected = dense.chosen[n].map { image in
                zip(dense.centred[image][n], directions[row: n]).reduce(0) { $0 + $1.0 * Double($1.1) }
            }
            #expect(relativeError(found[row: n], expected) < 1e-4)
        }
    }

    @Test func normsThresholdsAndDirectionsMatch() throws {
        let fitted = try fitted()
        let dense = dense()
        for n in 0..<fitted.lens.neurons {
            let chosen = dense.chosen[n]
            let found = fitted.largest.norms[row: n]
            #expect(relativeError(found, chosen.map { dense.norms[n][$0] }) < 1e-4)
            #expect(Array(fitted.largest.images[n * Self.kept..<(n + 1) * Self.kept]).map(Int.init) == chosen)
            #expect(relativeError([fitted.largest.thresholds[n]], [dense.norms[n][chosen[Self.kept - 1]]]) < 1e-4)

            let rows = chosen.map { dense.centred[$0][n] }
            let (direction, share) = Self.firstSingularVector(rows)
            #expect(relativeError(fitted.directions.directions[row: n], direction) < 1e-4)
            #expect(abs(Double(fitted.directions.shares[n]) - share) < 1e-4)
        }
    }

    /// First right singular vector by power iteration in double precision, signed by the majority.
    static func firstSingularVector(_ rows: [[Double]]) -> ([Double], Double) {
        var r = [Double](repeating: 1, count: d)
        for _ in 0..<20000 {
            var next = [Double](repeating: 0, count: d)
            for row in rows {
                let projection = zip(row, r).reduce(0) { $0 + $1.0 * $1.1 }
                for j in 0..<d { next[j] += projection * row[j] }
            }
            let length = next.reduce(0) { $0 + $1 * $1 }.squareRoot()
            r = next.map { $0 / length }
        }
        let projections = rows.map { zip($0, r).reduce(0) { $0 + $1.0 * $1.1 } }
        if 2 * projections.count(where: { $0 > 0 }) < rows.count { r = r.map { -$0 } }
        let total = rows.reduce(0) { $0 + $1.reduce(0) { $0 + $1 * $1 } }
        return (r, projections.reduce(0) { $0 + $1 * $1 } / total)
    }

    @Test func allRepresentationsMatch() throws {
        let fitted = try fitted()
        let dense = dense()
        let lens = fitted.lens
        let workspace = EffectWorkspace(vision, layers: [Self.layer], capacity: 3)
        let ablation = MeanAblation(
            CentredEffects(lens, factors: fitted.factors, means: fitted.means, capacity: 3), means: fitted.means,
            thresholds: fitted.largest.thresholds,
            readings: DirectionReadings(lens, directions: fitted.directions.directions), capacity: 3)
        let oracle = literal(evaluation)
        let phi = effects(of: evaluation)
        let thresholds = (0..<lens.neurons).map { dense.norms[$0][dense.chosen[$0][Self.kept - 1]] }
        let directions = (0..<lens.neurons).map { n in
            Self.firstSingularVector(dense.chosen[n].map { dense.centred[$0][n] }).0
        }
        var sawSignificant = 0
        run(workspace, evaluation) { pass, start in
            let ablated = ablation.run(pass, firstImage: start, seed: 7)
            for image in 0..<pass.batch {
                let centred = (0..<lens.neurons).map { n in zip(phi[start + image][n], dense.mean[n]).map { $0 - $1 } }
                let norms = centred.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
                let large = norms.indices.filter { norms[$0] > thresholds[$0] }
                #expect(ablated.significant[image] == large.count)
                sawSignificant += large.count
                let R = oracle[start + image].representation.map { $0 * oracle[start + image].scale }
                func minus(_ neurons: some Sequence<Int>) -> [Double] {
                    neurons.reduce(into: R) { r, n in for j in 0..<Self.d { r[j] -= centred[n][j] } }
                }
                let all = minus(0..<lens.neurons)
                let reconstruction = (0..<lens.neurons).reduce(into: all) { r, n in
                    let projection = zip(centred[n], directions[n]).reduce(0) { $0 + $1.0 * $1.1 }
                    for j in 0..<Self.d { r[j] += projection * directions[n][j] }
                }
                var random = SplitMix64(seed: 7, label: "random neurons of layer 1", index: UInt64(start + image))
                let expected: [AblationCondition: [Double]] = [
                    .baseline: R, .withoutAllNeurons: all, .withoutLargeNorms: minus(large),
                    .withoutSmallNorms: minus((0..<lens.neurons).filter { !large.contains($0) }),
                    .reconstructionFromPC1: reconstruction,
                    .withoutRandomNeurons: minus(random.sample(large.count, of: lens.neurons)),
                ]
                for (condition, vector) in expected {
                    let found = (0..<Self.d).map { ablated.representations(condition)[image * Self.d + $0] }
                    #expect(relativeError(found, vector) < 1e-4, "\(condition)")
                }
            }
        }
        #expect(sawSignificant > 0, "no neuron was significant, so two conditions were not tested")
    }

    @Test func boundsDecideAsTheExactNormsDo() throws {
        let fitted = try fitted()
        var (decided, asked) = (0, 0)
        let workspace = EffectWorkspace(vision, layers: [Self.layer], capacity: 4)
        let effects = CentredEffects(fitted.lens, factors: fitted.factors, means: fitted.means, capacity: 4)
        run(workspace, evaluation) { pass, _ in
            let effects = effects.run(pass)
            let norms = effects.norms()
            for n in 0..<fitted.lens.neurons {
                for image in 0..<4 {
                    let norm = norms[n * 4 + image]
                    // From far away to so close that only the cross term can decide.
                    for factor: Float in [0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999] {
                        let (below, above) = (
                            effects.isNorm(of: n, image: image, above: norm * factor),
                            effects.isNorm(of: n, image: image, above: norm / factor)
                        )
                        #expect(below != false && above != true, "neuron \(n), image \(image), \(factor)")
                        decided += [below, above].count { $0 != nil }
                        asked += 2
                    }
                }
            }
        }
        // Otherwise the bounds would be no use, or there would be nothing for the cross term to decide.
        #expect(decided > asked / 10 && decided < asked, "\(decided) of \(asked)")
    }

    @Test func normsOfAFewAreThoseOfAll() throws {
        let fitted = try fitted()
        let workspace = EffectWorkspace(vision, layers: [Self.layer], capacity: 4)
        let effects = CentredEffects(fitted.lens, factors: fitted.factors, means: fitted.means, capacity: 4)
        let neurons = [[], [0, 3, fitted.lens.neurons - 1], [], [2]]
        run(workspace, evaluation) { pass, _ in
            let effects = effects.run(pass)
            let all = Array(UnsafeBufferPointer(start: effects.norms(), count: 4 * fitted.lens.neurons))
            effects.scratch.norms.base.update(repeating: -1, count: effects.scratch.norms.count)
            let some = effects.norms(of: neurons)
            for (image, neurons) in neurons.enumerated() {
                for n in 0..<fitted.lens.neurons {
                    let (norm, expected) = (
                        some[n * 4 + image], neurons.contains(n) ? all[n * 4 + image] : -1
                    )
                    #expect(
                        abs(norm - expected) <= 1e-5 * abs(expected),
                        "neuron \(n), image \(image): \(norm), not \(expected)")
                }
            }
        }
    }

    @Test func indirectAblationMatchesALiteralRun() throws {
        let means = literal(fit).reduce(into: [[Double]](repeating: [Double](repeating: 0, count: 24), count: 5)) {
            sum, image in
            for t in 0..<5 {
                for n in 0..<24 { sum[t][n] += image.activations[Self.layer][t][n] / Double(Self.fitCount) }
            }
        }
        let fitted = try fitted()
        #expect(relativeError(fitted.means.activations.elements, means.flatMap { $0 }) < 1e-5)
        let workspace = EffectWorkspace(vision, layers: [Self.layer], capacity: 4, capturing: [.mlpInput])
        let indirect = IndirectAblation(vision, means: [Self.layer: fitted.means.activations], capacity: 4)
        run(workspace, evaluation) { pass, _ in
            indirect.update(pass, layer: Self.layer)
            for image in 0..<4 {
                let oracle = LiteralVision(
                    vision, image: evaluation[image * 192..<(image + 1) * 192], replacing: [Self.layer: means])
                let found = (0..<Self.d).map { indirect.representations.base[image * Self.d + $0] }
                #expect(relativeError(found, oracle.representation.map { $0 * oracle.scale }) < 1e-4)
            }
        }
    }

    /// Bounds found on the way to the means leave out many effects, and none of the largest.
    @Test func whatReachesItsFloorHoldsTheLargest() throws {
        let fitted = try fitted()
        let lens = fitted.lens
        let workspace = EffectWorkspace(vision, layers: [Self.layer], capacity: 4)
        let first = 4
        func images(_ range: Range<Int>) -> [UInt8] { Array(fit[range.lowerBound * 192..<range.upperBound * 192]) }
        let sums = EffectSums(lens, tokens: vision.tokens, capacity: 4)
        run(workspace, images(0..<first)) { pass, _ in sums.add(pass) }
        func mean(_ sums: FloatBuffer) -> [Float] { sums.elements.map { $0 / Float(first) } }
        let provisional = EffectMeans(
            coordinates: Tensor(shape: [lens.neurons, lens.headCount], elements: mean(sums.coordinates)),
            biasShare: mean(sums.biasShare), total: mean(sums.total),
            activations: Tensor(shape: [vision.tokens, lens.neurons], elements: mean(sums.activations)))

        // In two runs, as shards are.
        let far = CentredEffects(lens, factors: fitted.factors, means: provisional, capacity: 4)
        let all = NormFloors(neurons: lens.neurons, capacity: Self.kept)
        for shard in [first..<first + 5, first + 5..<Self.fitCount] {
            let floors = NormFloors(neurons: lens.neurons, capacity: Self.kept)
            run(workspace, images(shard)) { pass, start in
                floors.insert(far.run(pass), firstImage: shard.lowerBound + start)
            }
            all.insert(floors.bounds, firstImage: shard.lowerBound)
        }
        let floors = all.floors(shift: lens.distances(fitted.means, provisional, factors: fitted.factors))
        for (floor, threshold) in zip(floors, fitted.largest.thresholds) {
            #expect(floor <= threshold, "\(floor) \(threshold)")
        }

        let effects = CentredEffects(lens, factors: fitted.factors, means: fitted.means, capacity: 4)
        // Whole batches, whose bytes are those of the run over all.
        let parts = [0..<8, 8..<Self.fitCount].map { shard in
            let collector = CandidateEffectsCollector(neurons: lens.neurons, headCount: lens.headCount)
            run(workspace, images(shard)) { pass, start in
                collector.insert(effects.run(pass), floors: floors, firstImage: shard.lowerBound + start)
            }
            return collector.result()
        }
        let kept = parts.reduce(0) { $0 + $1.norms.count }
        #expect(kept < lens.neurons * Self.fitCount, "no effect was left out")
        for parts in [parts, parts.reversed()] {
            let isEqual = LargestEffects(parts, count: Self.kept) == fitted.largest
            #expect(isEqual)
        }
        let tooMany = LargestEffects(parts, count: Self.fitCount + 1) == nil
        #expect(tooMany)
    }

    @Test func fewImagesGiveNoFloor() {
        let floors = NormFloors(neurons: 2, capacity: 3)
        floors.insert(Tensor(shape: [2, 2], elements: [5, 4, 9, 8]), firstImage: 0)
        #expect(floors.floors(shift: [0, 0]) == [0, 0])
        floors.insert(Tensor(shape: [2, 1], elements: [3, 10]), firstImage: 2)
        #expect(floors.floors(shift: [1, 20]) == [2 * 0.9999, 0])
    }
}
