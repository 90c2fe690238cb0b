using System.Text;
using Smelt.Recipes;

namespace Smelt.Mergekit.CSharp;

/// <summary>A recipe to be written as C#.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Recipe">The recipe.</param>
/// <param name="IsStage">Whether later recipes use its output.</param>
public sealed record SourceRecipe(string Name, Recipe Recipe, bool IsStage = false);

/// <summary>Writes recipes as a C# project.</summary>
public static class RecipeProject
{
    /// <summary>The C# source of recipes: a class for each.</summary>
    /// <param name="project">The project's name.</param>
    /// <param name="recipes">The recipes, stages before the recipes that use them.</param>
    /// <param name="origin">What they were imported from, for the comments.</param>
    public static string Source(string project, IReadOnlyList<SourceRecipe> recipes, string origin)
    {
        var classes = CSharpNames.Classes(recipes.Select(r => r.Name));
        var text = new StringBuilder($"namespace {CSharpNames.Namespace(project)};\n");
        for (var i = 0; i < recipes.Count; i++)
        {
            var stages = Enumerable.Range(0, i).Where(s => recipes[s].IsStage).Select(s => (recipes[s].Name, recipes[s].Recipe, Class: classes[s])).ToArray();
            text.Append($$"""

                /// <summary>{{(recipes[i].IsStage ? $"The stage {recipes[i].Name}" : "The merge")}} of {{Comment(origin)}}.</summary>
                [Recipe({{SourceWriter.Text(recipes[i].Name)}})]
                public {{(recipes[i].IsStage ? "sealed" : "static")}} partial class {{classes[i]}}{{(recipes[i].IsStage ? " : IRecipe" : "")}}
                {
                    /// <summary>The recipe.</summary>
                    public static Recipe Define() => {{new SourceWriter(stages).Write(recipes[i].Recipe, 1)}};
                }

                """.ReplaceLineEndings("\n"));
        }

        return text.ToString();
    }

    /// <summary>The project file.</summary>
    /// <param name="version">The version of Smelt.Recipes to reference; null where the folder's Directory.Build.props does it.</param>
    public static string ProjectFile(string? version) => version is null
        ? """
          <Project Sdk="Microsoft.NET.Sdk">
          </Project>

          """
        : $"""
          <Project Sdk="Microsoft.NET.Sdk">
            <PropertyGroup>
              <TargetFramework>net10.0</TargetFramework>
              <Nullable>enable</Nullable>
              <ImplicitUsings>enable</ImplicitUsings>
            </PropertyGroup>
            <ItemGroup>
              <PackageReference Include="Smelt.Recipes" Version="{version}" />
            </ItemGroup>
          </Project>

          """;

    private static string Comment(string text) => text.Replace("&", "&amp;", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
