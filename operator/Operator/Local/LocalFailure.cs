namespace Graft.Operator.Local;

/// <summary>Why <c>local</c> cannot go on, in words for the person in front of it: its message is the last line printed.</summary>
internal sealed class LocalFailure(string message, Exception? inner = null) : Exception(message, inner);
