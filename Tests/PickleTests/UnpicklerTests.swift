import Testing

@testable import Pickle

@Suite struct UnpicklerTests {
    @Test(arguments: 0...5) func everyProtocolGivesTheSameValues(version: Int) throws {
        let value = try Samples.read(Samples.bytes("mixed-\(version).pkl"))
        #expect(value["none"]?.isNone == true)
        #expect(value["truth"]?.text == "[True,False]")
        #expect(
            value["integers"]?.text
                == "[0,-1,255,256,65536,-2147483648,2147483648,4611686018427387904,-9223372036854775808]")
        #expect(value["floats"]?.text == "[0.0,-1.5,1e+300,inf]")
        #expect(value["text"]?.string == "äöü 日本 🐶 'quoted' \\ \n")
        #expect(value["long"]?.string == String(repeating: "x", count: 300))
        #expect(value["bytes"]?.bytes == Array(0...255))
        #expect(value["nested"]?.text == "[[],(),{},(1),(1,2),(1,2,3),(1,2,3,4),{1:{2:3}}]")
        #expect(value["ordered"]?.pairs?.map { "\($0.key.text)\($0.value.text)" } == ["'b'1", "'a'2"])
        let shared = try #require(value["shared"]?.elements)
        #expect(shared.map(\.text) == ["[1,2]", "[1,2]"])
        #expect(shared[0].identity == shared[1].identity)
        guard version >= 2 else { return }
        #expect(value["large"]?.text == "large[5, 0, 0, 0, 0, 0, 0, 0, 1]")
        #expect(value["negative"]?.text == "large[0, 0, 0, 0, 0, 0, 0, 0, 192]")
        guard version >= 4 else { return }
        #expect(value["set"]?.text == "{7}")
        #expect(value["frozen"]?.text == "{8}")
    }

    /// A batch of CIFAR as Python 2 wrote it, and as Python 3 would for Python 2 and for itself.
    @Test(arguments: ["cifar-python2.pkl", "cifar-protocol2.pkl", "cifar-protocol4.pkl"])
    func batchesOfCIFAR(name: String) throws {
        let value = try Unpickler.read(Samples.bytes(name), vocabulary: .numpy).value
        func named(_ key: String) throws -> PickleValue {
            let pair = value.pairs?.first { ($0.key.bytes ?? $0.key.string.map { Array($0.utf8) }) == Array(key.utf8) }
            return try #require(pair?.value)
        }
        let array = try #require(NumpyArray(named("data")))
        #expect(array.type == "u1")
        #expect(array.shape == [4, 3072])
        #expect(!array.isFortranOrder && !array.isBigEndian)
        #expect(array.bytes == (0..<4 * 3072).map { UInt8($0 % 251) })
        #expect(try named("labels").elements?.map(\.int) == [6, 9, 0, 3])
        let names = try #require(try named("filenames").elements)
        let texts = names.map { $0.string ?? $0.bytes.map { String(decoding: $0, as: UTF8.self) } }
        #expect(texts == (0..<4).map { "picture_\($0).png" })
    }

    @Test func arraysSayTheirOrder() throws {
        let c = try #require(NumpyArray(Samples.read(Samples.bytes("array-c.pkl"))))
        #expect(c.type == "i4" && c.isBigEndian && !c.isFortranOrder && c.shape == [2, 3])
        #expect(c.bytes == (1...6).flatMap { [0, 0, 0, UInt8($0)] })
        let fortran = try #require(NumpyArray(Samples.read(Samples.bytes("array-fortran.pkl"))))
        #expect(fortran.type == "f4" && !fortran.isBigEndian && fortran.isFortranOrder && fortran.shape == [2, 3])
        #expect(fortran.bytes[4..<8].elementsEqual([0, 0, 0x80, 0x40]), "4 follows 1")
        #expect(NumpyArray(try Samples.read(Array("I1\n.".utf8))) == nil)
    }

    @Test func picklesFollowEachOther() throws {
        let bytes = Array("I1\n.(lp0\n.N.".utf8)
        var (texts, position) = ([String](), 0)
        while position < bytes.count {
            let (value, end) = try Unpickler.read(bytes, from: position, vocabulary: .init())
            texts.append(value.text)
            position = end
        }
        #expect(texts == ["1", "[]", "None"])
    }

    @Test func objectsAreRecords() throws {
        let bytes = Array("c__torch__.a.b\nBlock\n)\u{81}}(S'weight'\nI5\nub.".unicodeScalars.map { UInt8($0.value) })
        let object = try #require(Samples.read(bytes).object)
        #expect(object.callable == PickleGlobal("__torch__.a.b", "Block"))
        #expect(object.state?["weight"]?.int == 5)
        #expect(throws: PickleError.refusedGlobal(PickleGlobal("__torch__x", "Block"), offset: 0)) {
            try Samples.read(Array("c__torch__x\nBlock\n.".utf8))
        }
    }

    @Test(arguments: [
        ("S'a\\x41\\n\\\\\\''\n.", "b5"), ("S\"it's\"\n.", "b4"), ("V\\u00e9\\U0001F436\\n\n.", "'é🐶\\n'"),
        ("L-12345L\n.", "-12345"), ("I01\n.", "True"), ("F-2.5\n.", "-2.5"), ("(I1\nI2\nd.", "{1:2}"),
        ("(I1\nI2\nt.", "(1,2)"), ("I1\n0I2\n.", "2"), ("I1\n2\u{86}.", "(1,1)"), ("(I1\n1I3\n.", "3"),
        ("Pid\n.", "@'id'"),
        ("\u{8A}\u{00}.", "0"), ("\u{8A}\u{01}\u{FF}.", "-1"), ("(0I4\n.", "4"),
    ])
    func smallPickles(pickle: String, text: String) throws {
        #expect(try Samples.read(pickle.unicodeScalars.map { UInt8($0.value) }).text == text)
    }
}
