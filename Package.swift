// swift-tools-version: 6.0
import PackageDescription

// Read from top to bottom, the targets are the flow of the data; each imports only what stands above it.

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "clip-lens",
    products: [.executable(name: "runner", targets: ["runner"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // MARK: System libraries

        .systemLibrary(name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"])]),
        .systemLibrary(name: "CBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CFreeType", pkgConfig: "freetype2", providers: [.apt(["libfreetype-dev"])]),
        .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // MARK: Numbers and files that hold them

        .target(name: "CKernels"),
        .target(name: "CDNNL", dependencies: ["CKernels"]),
        .target(name: "DenseMath", dependencies: ["CBLAS", "CDNNL", "CKernels"]),
        .target(name: "Safetensors"),
        .target(name: "Archives", dependencies: ["CArchive"]),
        .target(name: "Pickle"),
        .target(name: "TorchCheckpoint", dependencies: ["Archives", "Pickle", "Safetensors"]),

        // MARK: Pictures, model, lens

        .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
        .target(
            name: "Inputs",
            dependencies: ["DenseMath", "CKernels", "Archives", "Pickle", "CCurl", "CFreeType", "CJPEG", "CPNG", "CZlib", crypto]),
        .target(name: "CLIPModel", dependencies: ["DenseMath", "Safetensors", "TorchCheckpoint", "CZlib"]),
        .target(name: "Lens", dependencies: ["DenseMath", "CLIPModel"]),
        .target(name: "Attribution", dependencies: ["DenseMath", "CLIPModel"]),

        // MARK: Pipeline and claims

        .target(name: "Pipeline", dependencies: ["Safetensors", yams, crypto]),
        .target(
            name: "Experiments",
            dependencies: ["DenseMath", "Safetensors", "Inputs", "CLIPModel", "Lens", "Attribution", "Pipeline"]),
        .target(name: "Slurm", dependencies: ["Pipeline"]),
        .target(
            name: "Results", dependencies: ["Pipeline", grdb],
            resources: [.embedInCode("Report/Resources/report.css"), .embedInCode("Report/Resources/report.js")]),

        // MARK: Command line

        .executableTarget(
            name: "runner",
            dependencies: [
                "Archives", "Pickle", "TorchCheckpoint", "Inputs", "Attribution", "Experiments", "Results", "Slurm", argumentParser,
            ]),

        // MARK: Benchmarks

        .executableTarget(
            name: "bench", dependencies: ["DenseMath", "CLIPModel", "Lens", "Attribution", "TestSupport", argumentParser]),

        // MARK: Tests

        .target(
            name: "TestSupport", dependencies: ["DenseMath", "Safetensors", "Archives", "CLIPModel", "CZlib"], path: "Tests/TestSupport"),
        .testTarget(name: "DenseMathTests", dependencies: ["DenseMath"], exclude: ["Fixtures"]),
        .testTarget(name: "SafetensorsTests", dependencies: ["DenseMath", "Safetensors"], resources: [.copy("Fixtures")]),
        .testTarget(name: "ArchivesTests", dependencies: ["DenseMath", "Archives", "TestSupport"], exclude: ["Fixtures"]),
        .testTarget(name: "PickleTests", dependencies: ["DenseMath", "Pickle"], exclude: ["Fixtures"]),
        .testTarget(
            name: "TorchCheckpointTests", dependencies: ["DenseMath", "TorchCheckpoint", "Archives", "Pickle", "Safetensors"], exclude: ["Fixtures"]),
        .testTarget(
            name: "InputsTests", dependencies: ["Inputs", "DenseMath", "Archives", "CPNG", "CZlib", "TestSupport"], exclude: ["Fixtures"]),
        .testTarget(
            name: "CLIPModelTests", dependencies: ["DenseMath", "CLIPModel", "Safetensors", "TorchCheckpoint", "CZlib", "TestSupport"], exclude: ["Fixtures"]),
        .target(name: "CAllocations", path: "Tests/CAllocations"),
        .testTarget(name: "LensTests", dependencies: ["Lens", "TestSupport", "CAllocations"], exclude: ["Fixtures"]),
        .testTarget(
            name: "AttributionTests", dependencies: ["Attribution", "DenseMath", "CLIPModel", "Safetensors", "TestSupport"],
            resources: [.copy("Fixtures")]),
        .testTarget(name: "PipelineTests", dependencies: ["Pipeline", "Safetensors"], exclude: ["Fixtures"]),
        .testTarget(name: "SlurmTests", dependencies: ["Slurm", "Pipeline"]),
        .testTarget(name: "ExperimentsTests", dependencies: ["Experiments", "TestSupport"]),
        .testTarget(name: "ResultsTests", dependencies: ["Results", "Pipeline", grdb], exclude: ["Fixtures"]),
        .testTarget(
            name: "RunnerTests", dependencies: ["runner", "Archives", "Inputs", "Results", "Pipeline", "Safetensors", "TestSupport"]),
    ]
)
