using Xunit.Abstractions;

namespace Graft.Conformance;

/// <summary>Names a case of the table to the test runner, which shows the whole sentence and can pick one.</summary>
public sealed class CaseName : IXunitSerializable
{
    public CaseName()
    {
    }

    public CaseName(string area, string sentence) => (Area, Sentence) = (area, sentence);

    public string Area { get; private set; } = "";

    public string Sentence { get; private set; } = "";

    public void Deserialize(IXunitSerializationInfo info)
    {
        Area = info.GetValue<string>(nameof(Area));
        Sentence = info.GetValue<string>(nameof(Sentence));
    }

    public void Serialize(IXunitSerializationInfo info)
    {
        info.AddValue(nameof(Area), Area);
        info.AddValue(nameof(Sentence), Sentence);
    }

    public override string ToString() => $"{Area}: {Sentence}";
}
