namespace Graft.Modeling;

/// <summary>What an adapter puts before a text, besides what it changes in the network.</summary>
/// <param name="Tokens">Vectors that go through the network like tokens.</param>
/// <param name="Keys">Keys and values that attention finds in every layer.</param>
public readonly record struct Lead(int Tokens, int Keys)
{
    /// <summary>Positions of the text that it takes.</summary>
    public int Count => Tokens + Keys;
}
